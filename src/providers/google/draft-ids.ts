import { isJsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'
import { at } from './endpoints.ts'
import { isGmailId } from './message-detail.ts'
import { objectsIn } from './read-messages.ts'

/** drafts.list gives this many at most, for 5 units (contract/email.md 12.4). */
const PAGE_SIZE = 500
const PAGE_LIMIT = 20

/** Finds the ids of drafts by the ids of their messages; newest drafts are found with one call. */
export async function draftIdsOf(
  api: GoogleApi,
  gmailUrl: string,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(messageIds)
  const found = new Map<string, string>()
  let pageToken: string | undefined
  for (let pages = 0; wanted.size > 0 && pages < PAGE_LIMIT; pages += 1) {
    const query = new URLSearchParams({
      maxResults: String(PAGE_SIZE),
      fields: 'drafts(id,message/id),nextPageToken',
    })
    if (pageToken !== undefined) query.set('pageToken', pageToken)
    const answer = await api.getJson(at(gmailUrl, `/gmail/v1/users/me/drafts?${query.toString()}`))
    for (const entry of objectsIn(answer, 'drafts')) {
      const message = entry['message']
      const messageId = isJsonObject(message) ? stringField(message, 'id') : undefined
      const draftId = stringField(entry, 'id')
      if (messageId !== undefined && draftId && wanted.delete(messageId)) found.set(messageId, draftId)
    }
    const next = stringField(answer, 'nextPageToken') || undefined
    if (next === undefined || next === pageToken) break
    pageToken = next
  }
  return found
}

/**
 * Takes a draft by its own id or by that of its message (contract/email.md 3.4).
 * @returns the draft's id. @throws ProviderError `not-found`
 */
export async function resolveDraftId(api: GoogleApi, gmailUrl: string, id: string): Promise<string> {
  if (!isGmailId(id)) throw unknownDraft()
  // Ids of messages are hexadecimal, those of drafts begin with "r".
  if (!/^[0-9a-f]{10,20}$/.test(id)) return id
  const found = (await draftIdsOf(api, gmailUrl, [id])).get(id)
  if (found === undefined) throw unknownDraft()
  return found
}

/** The error for what is no draft. */
export function unknownDraft(): ProviderError {
  return new ProviderError('not-found', 'The draft does not exist at Google.', { answered: true })
}
