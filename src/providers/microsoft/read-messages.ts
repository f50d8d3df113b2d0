import { BASIC_HEADERS, type FullMessage, type RawMessage } from '../../contract/message.ts'
import type { MessageQuery } from '../../core/ports/mail.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { IN_BYTES, type TextForm } from '../../kit/text-form.ts'
import type { GraphApi } from './api.ts'
import type { Candidate } from './local-filter.ts'
import { wantsHeaders } from './message-query.ts'
import { headersOfSource } from './source-headers.ts'
import { toHeaders, toMessage } from './to-wire.ts'

/** One operation's view of the messages of a mailbox. */
export interface MessageReader {
  readonly api: GraphApi
  readonly grantId: string
  /** Graph's base address with `/v1.0`. */
  readonly base: string
  /** Which messages are meant at all (drafts only, for instance). Absent: every one. */
  readonly accepts?: (resource: JsonObject) => boolean
}

/** Tells whether a message is one that the operation is about. */
export function isAccepted({ accepts }: MessageReader, { resource }: Candidate): boolean {
  return accepts === undefined || accepts(resource)
}

/** The items of an answer's `value`. @throws ProviderError `malformed-response` where there is no list */
export function itemsOf(answer: JsonObject): readonly JsonObject[] {
  const { value } = answer
  if (Array.isArray(value)) return value.filter(isJsonObject)
  throw new ProviderError('malformed-response', 'Microsoft answered something that is not a list.', {
    answered: true,
  })
}

/** Maps the items of a page; those without an id are left out. */
export function candidatesOf(answer: JsonObject, grantId: string, form?: TextForm): readonly Candidate[] {
  const candidates: Candidate[] = []
  for (const resource of itemsOf(answer)) {
    const message = toMessage(resource, grantId, form)
    if (message) candidates.push({ message, resource })
  }
  return candidates
}

/** Maps a message that was in bytes anew. */
export function inCharacters({ message, resource }: Candidate): Candidate {
  const read = parseJson(IN_BYTES.read(JSON.stringify(resource)))
  const mapped = isJsonObject(read) ? toMessage(read, message.grant_id) : undefined
  return isJsonObject(read) && mapped ? { message: mapped, resource: read } : { message, resource }
}

/** What the client wants of a message. */
type MessageForm = Pick<MessageQuery, 'fields' | 'select'>

/**
 * Gives messages the form that `fields` asks for. Sources are read one by one, inside the mailbox's slots; a
 * message that vanished meanwhile is left out.
 */
export async function finishMessages(
  reader: MessageReader,
  candidates: readonly Candidate[],
  form: MessageForm,
): Promise<(FullMessage | RawMessage)[]> {
  // Mostly nothing is missing, and a promise for each message costs as much as mapping it.
  if (!wantsHeaders(form) && form.fields !== 'raw_mime') return candidates.map(({ message }) => message)
  const finished = await Promise.all(
    candidates.map((candidate) =>
      finishMessage(reader, candidate, form).catch((error: unknown) => {
        if (error instanceof ProviderError && error.kind === 'not-found') return undefined
        throw error
      }),
    ),
  )
  return finished.filter((message) => message !== undefined)
}

/** Gives one message the form that `fields` asks for. */
export async function finishMessage(
  reader: MessageReader,
  { message, resource }: Candidate,
  form: MessageForm,
): Promise<FullMessage | RawMessage> {
  switch (wantsHeaders(form) || form.fields === 'raw_mime' ? form.fields : 'standard') {
    case 'standard':
    case 'include_tracking_options':
      return message
    case 'raw_mime':
      return readRaw(reader, message.id)
    case 'include_headers':
      return { ...message, headers: await headersOf(reader, resource, message.id) }
    case 'include_basic_headers': {
      const headers = await headersOf(reader, resource, message.id)
      return { ...message, headers: headers.filter(({ name }) => BASIC_HEADERS.includes(name.toLowerCase())) }
    }
  }
}

/** Reads a message's source. */
export async function readRaw({ api, grantId }: MessageReader, id: string): Promise<RawMessage> {
  const source = await api.getBytes(`${messagePath(api, id)}/$value`)
  return { id, grant_id: grantId, object: 'message', raw_mime: source.toString('base64url') }
}

/** Graph has no headers of drafts and often none of mail to oneself: those are read from the source. */
async function headersOf({ api }: MessageReader, resource: JsonObject, id: string) {
  return toHeaders(resource) ?? headersOfSource(await api.getBytes(`${messagePath(api, id)}/$value`))
}

/** The path of one message. */
export function messagePath(api: GraphApi, id: string): string {
  return `${api.root}/messages/${encodeURIComponent(id)}`
}
