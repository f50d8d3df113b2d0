import { stringField } from '../../kit/json.ts'
import { isJsonObject } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'
import { at } from './endpoints.ts'
import { isGmailId } from './message-detail.ts'
import { objectsIn } from './read-messages.ts'
import { headersOf } from './to-wire.ts'

/** What makes a message a reply: its thread at Gmail and its threading headers. */
export interface ReplyTarget {
  readonly threadId: string
  readonly inReplyTo?: string
  /** Message-IDs with angle brackets, oldest first */
  readonly references: readonly string[]
}

/** A chain that is longer keeps its root and its latest ones. */
const REFERENCES_LIMIT = 40
const HEADERS: readonly string[] = ['Message-ID', 'References', 'In-Reply-To']

/**
 * Reads what a message replies to (RFC 5322 section 3.6.4). Gmail puts the reply into the thread when its subject
 * matches, too (Gmail guide "threads", checked 2026-11).
 *
 * @param id  Gmail's id of the message, or its Message-ID in angle brackets
 * @throws ProviderError `not-found`; `scope-missing` for a grant that may send but not read
 */
export async function readReplyTarget(api: GoogleApi, gmailUrl: string, id: string): Promise<ReplyTarget> {
  const gmailId = /^\s*</.test(id) ? await findByMessageId(api, gmailUrl, id) : id.trim()
  if (gmailId === undefined || !isGmailId(gmailId)) throw unknown()
  const query = new URLSearchParams({ format: 'metadata', fields: 'id,threadId,payload/headers' })
  for (const name of HEADERS) query.append('metadataHeaders', name)
  const path = `/gmail/v1/users/me/messages/${encodeURIComponent(gmailId)}?${query.toString()}`
  const message = await api.getJson(at(gmailUrl, path)).catch((error: unknown) => {
    // Gmail refuses an id of another form as invalid.
    if (error instanceof ProviderError && error.kind === 'invalid-request') throw unknown()
    throw error
  })
  const headers = isJsonObject(message['payload']) ? headersOf(message['payload']) : []
  const idsIn = (name: string) =>
    headers
      .filter((header) => header.name.toLowerCase() === name)
      .flatMap((header) => header.value.match(/<[^<>\s]+>/g) ?? [])
  const [own] = idsIn('message-id')
  const references = idsIn('references')
  const older = references.length > 0 ? references : idsIn('in-reply-to').slice(0, 1)
  const all = [...new Set([...older.filter((one) => one !== own), ...(own === undefined ? [] : [own])])]
  return {
    threadId: stringField(message, 'threadId') ?? '',
    ...(own === undefined ? {} : { inReplyTo: own }),
    references:
      all.length > REFERENCES_LIMIT ? [...all.slice(0, 1), ...all.slice(1 - REFERENCES_LIMIT)] : all,
  }
}

async function findByMessageId(api: GoogleApi, gmailUrl: string, id: string): Promise<string | undefined> {
  const [, bare] = /^\s*<([^<>\s(){}"]+)>\s*$/.exec(id) ?? []
  if (bare === undefined) return undefined
  const query = new URLSearchParams({
    q: `rfc822msgid:${bare}`,
    maxResults: '1',
    includeSpamTrash: 'true',
    fields: 'messages/id',
  })
  const answer = await api.getJson(at(gmailUrl, `/gmail/v1/users/me/messages?${query.toString()}`))
  return objectsIn(answer, 'messages').flatMap((entry) => stringField(entry, 'id') ?? [])[0]
}

function unknown(): ProviderError {
  return new ProviderError('not-found', 'The message that this replies to does not exist at Google.', {
    answered: true,
  })
}
