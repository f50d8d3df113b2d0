import type { FolderUpdateBody } from '../../contract/folder.ts'
import type { FolderChangesPort } from '../../core/ports/mail.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { openApi, readObject } from './api.ts'
import { deleteObject } from './delete-object.ts'
import { at } from './endpoints.ts'
import { labelToFolder } from './folder-to-wire.ts'
import { isLabelId, LABELS, labelPath } from './folders.ts'
import type { GoogleDeps } from './identity.ts'
import { unsupported } from './search-query.ts'

/** Gmail's own labels are in capitals, those of users are `Label_…` (labels guide, checked 2026-11). */
const SYSTEM_LABEL = /^[A-Z][A-Z_]*$/
const HEADERS = { 'content-type': 'application/json' }

/** Changes of labels (contract/email.md 7.4). Labels have no parents: nesting is a matter of names, `A/B`. */
export function createGmailFolderChanges(deps: GoogleDeps): FolderChangesPort {
  const { gmailUrl } = deps.endpoints
  return {
    async create(session, { name, ...rest }) {
      const color = colorOf(rest)
      const api = openApi(deps, session)
      const body = { name, labelListVisibility: 'labelShow', messageListVisibility: 'show', ...color }
      const answer = await api.send({
        method: 'POST',
        url: at(gmailUrl, LABELS),
        headers: HEADERS,
        body: JSON.stringify(body),
        isRepeatable: false,
      })
      // Nothing has a label that was just made, and Gmail's answer has no counts.
      const label = { type: 'user', messagesTotal: 0, messagesUnread: 0, ...withId(readObject(answer)) }
      return labelToFolder(label, session.grantId)
    },
    async update(session, id, { name, ...rest }) {
      checkChangeable(id, 'changed')
      const change = { ...(name === undefined ? {} : { name }), ...colorOf(rest) }
      const api = openApi(deps, session)
      const url = at(gmailUrl, labelPath(id))
      if (Object.keys(change).length > 0) {
        await api.send({ method: 'PATCH', url, headers: HEADERS, body: JSON.stringify(change) })
      }
      return labelToFolder(withId(await api.getJson(url)), session.grantId)
    },
    async delete(session, id) {
      checkChangeable(id, 'deleted')
      await deleteObject(openApi(deps, session), at(gmailUrl, labelPath(id)))
    },
  }
}

/** Gmail takes both colours of a label or none, of its palette, in lower case (labels resource, checked 2026-11). */
function colorOf({ text_color, background_color, parent_id }: Omit<FolderUpdateBody, 'name'>) {
  if (parent_id !== undefined) throw unsupported('parent_id')
  if (text_color === undefined && background_color === undefined) return {}
  if (text_color === undefined || background_color === undefined) {
    throw new ProviderError(
      'invalid-request',
      'text_color and background_color must be given together for Google.',
    )
  }
  return {
    color: { textColor: text_color.toLowerCase(), backgroundColor: background_color.toLowerCase() },
  }
}

function checkChangeable(id: string, what: string): void {
  if (!isLabelId(id)) throw new ProviderError('not-found', 'The folder does not exist at Google.')
  if (!SYSTEM_LABEL.test(id)) return
  throw new ProviderError('invalid-request', `${id} is a system folder, which cannot be ${what}.`)
}

function withId(label: JsonObject): JsonObject {
  if (stringField(label, 'id')) return label
  throw new ProviderError('malformed-response', 'Google answered a label without an id.', { answered: true })
}
