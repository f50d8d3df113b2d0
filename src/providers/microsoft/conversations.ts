import type { FullMessage } from '../../contract/message.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { queryText } from './graph-call.ts'
import type { Candidate } from './local-filter.ts'
import { LIGHT, projection, quote } from './message-query.ts'
import { nextPlace, type PagePlace } from './next-link.ts'
import { candidatesOf, messagePath, type MessageReader } from './read-messages.ts'
import { toMessage } from './to-wire.ts'

/** Every message of a conversation; never empty. */
export type Conversation = readonly [Candidate, ...Candidate[]]

const PAGE_SIZE = 250
/** A conversation is read up to this many pages. */
const PAGE_CAP = 8

/**
 * Reads whole conversations, wherever their messages are: one query for each, several in a call. Graph refuses to
 * order them (contract/email.md 13.1). Bodies are left out.
 *
 * @returns by conversation id; those without a message are left out
 * @throws ProviderError when one cannot be read
 */
export async function readConversations(
  reader: MessageReader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Conversation>> {
  const { api, base } = reader
  const queryOf = (id: string, place?: PagePlace) =>
    [
      ['$filter', `conversationId eq ${quote(id)}`],
      ['$select', `${LIGHT},bodyPreview`],
      ['$top', String(PAGE_SIZE)],
      ...(place ? [[place.option, place.value] as const] : []),
    ] as const
  const path = `${api.root}/messages`
  const steps = ids.map((id) => ({ method: 'GET' as const, url: `${path}${queryText(queryOf(id))}` }))
  const answers = await api.runEach(steps)
  const found = new Map<string, Conversation>()
  for (const [at, id] of ids.entries()) {
    let answer: JsonObject | ProviderError | undefined = answers[at]
    const messages = new Map<string, Candidate>()
    for (let pages = 1; answer; pages += 1) {
      if (answer instanceof ProviderError) throw answer
      for (const candidate of candidatesOf(answer, reader.grantId)) {
        messages.set(candidate.message.id, candidate)
      }
      const next = nextPlace(answer, base, 'messages')
      answer = next && pages < PAGE_CAP ? await api.getJson(path, queryOf(id, next)) : undefined
    }
    const [first, ...rest] = messages.values()
    if (first) found.set(id, [first, ...rest])
  }
  return found
}

/** Reads messages whole, several in a call. @returns by id; those that vanished are left out */
export async function readWhole(
  { api, grantId }: MessageReader,
  ids: readonly string[],
  select: readonly string[] | undefined,
): Promise<ReadonlyMap<string, FullMessage>> {
  const paths = ids.map((id) => messagePath(api, id))
  const resources = await api.getEach(paths, projection('standard', select))
  return new Map(
    resources.flatMap((resource, at) => {
      const message = resource ? toMessage(resource, grantId) : undefined
      return message ? [[ids[at] ?? message.id, message] as const] : []
    }),
  )
}

/** The conversation a message belongs to; `""` where Graph does not say. */
export function conversationOf({ resource }: Candidate): string {
  return stringField(resource, 'conversationId') ?? ''
}
