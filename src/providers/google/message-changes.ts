import type { MessageChange, MessageChangesPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { openApi, readObject } from './api.ts'
import { deleteObject } from './delete-object.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { isGmailId, messagePath } from './message-detail.ts'
import { mapMessage, openReader } from './read-messages.ts'
import { unsupported } from './search-query.ts'
import { labelsOf } from './to-wire.ts'

/** Labels that `folders` leaves as they are: state with a field of its own, and what Gmail lets nobody change. */
const KEPT = new Set(['UNREAD', 'STARRED', 'SENT', 'DRAFT'])

/** Changes of messages by messages.modify, trash and delete (contract/email.md 12.1). */
export function createGmailMessageChanges(deps: GoogleDeps): MessageChangesPort {
  const { gmailUrl } = deps.endpoints
  const addressOf = (id: string, action = '') => at(gmailUrl, `/gmail/v1/users/me/messages/${id}${action}`)
  return {
    async update(session, id, change) {
      check(id, change.sharedFrom)
      const reader = openReader(deps, session)
      const { api } = reader
      const current =
        change.folders === undefined
          ? []
          : labelsOf(await api.getJson(at(gmailUrl, messagePath(id, 'minimal'))))
      const labels = labelChange(change, current)
      if (labels.addLabelIds.length + labels.removeLabelIds.length > 0) {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify(labels)
        readObject(await api.send({ method: 'POST', url: addressOf(id, '/modify'), headers, body }))
      }
      const resource = await api.getJson(at(gmailUrl, messagePath(id, 'full')))
      return mapMessage(reader, resource, 'standard')
    },
    async delete(session, id, { hard, sharedFrom }) {
      check(id, sharedFrom)
      const api = openApi(deps, session)
      if (hard) await deleteObject(api, addressOf(id))
      else await api.send({ method: 'POST', url: addressOf(id, '/trash') })
    },
  }
}

/** Works out what to add and to remove, so that only what is given changes. */
export function labelChange(change: MessageChange, current: readonly string[]) {
  const add = new Set<string>()
  const remove = new Set<string>()
  if (change.folders !== undefined) {
    const wanted = new Set(change.folders)
    for (const label of wanted) if (!current.includes(label)) add.add(label)
    for (const label of current) if (!wanted.has(label) && !KEPT.has(label)) remove.add(label)
  }
  const set = (label: string, isOn: boolean | undefined) => {
    if (isOn === undefined) return
    add.delete(label)
    if (isOn) add.add(label)
    else remove.add(label)
  }
  set('UNREAD', change.unread)
  set('STARRED', change.starred)
  return { addLabelIds: [...add], removeLabelIds: [...remove] }
}

function check(id: string, sharedFrom: string | undefined): void {
  if (sharedFrom !== undefined) throw unsupported('shared_from')
  if (!isGmailId(id)) throw new ProviderError('not-found', 'The message does not exist at Google.')
}
