import type { FoldersPort } from '../../core/ports/mail.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { openApi } from './api.ts'
import { batchGet } from './batch-get.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { at } from './endpoints.ts'
import { labelToFolder } from './folder-to-wire.ts'
import type { GoogleDeps } from './identity.ts'
import { objectsIn } from './read-messages.ts'
import { unsupported } from './search-query.ts'

/** Where Gmail's labels are, below its base. */
export const LABELS = '/gmail/v1/users/me/labels'
const LIST_FIELDS = 'labels(id,name,type,color)'

/**
 * Labels as folders: labels.list, which has no counts, and one batch of labels.get for those of the page. Gmail
 * lists all labels at once, so pages are cut here from the list sorted by kind and id.
 */
export function createGmailFolders(deps: GoogleDeps): FoldersPort {
  const { gmailUrl } = deps.endpoints
  return {
    async list(session, query) {
      if (query.sharedFrom !== undefined) throw unsupported('shared_from')
      // Labels have no parents: nested names are only names. So nothing is below a parent.
      if (query.parentId !== undefined) return { items: [] }
      const start = query.cursor === undefined ? undefined : readCursor(query.cursor)
      const api = openApi(deps, session)
      const answer = await api.getJson(
        at(gmailUrl, `${LABELS}?${new URLSearchParams({ fields: LIST_FIELDS }).toString()}`),
      )
      const labels = objectsIn(answer, 'labels')
        .filter((label) => isLabelId(stringField(label, 'id') ?? ''))
        .toSorted(compareLabels)
      // The label last shown may be gone: then the first one that sorts after it is next.
      const from =
        start?.after === undefined ? 0 : labels.findIndex((label) => sortKey(label) > (start.after ?? ''))
      const page = from === -1 ? [] : labels.slice(from, from + query.limit)
      const counted = await batchGet(
        api,
        page.map((label) => labelPath(stringField(label, 'id') ?? '')),
        { gmailUrl },
      )
      const items = counted.flatMap((label, place) => {
        const listed = page[place]
        return label && listed ? [labelToFolder({ ...listed, ...label }, session.grantId)] : []
      })
      const last = page.at(-1)
      const offset = from + page.length
      if (!last || offset >= labels.length) return { items }
      return { items, nextCursor: writeCursor({ offset, pageSize: query.limit, after: sortKey(last) }) }
    },
    async find(session, id, { sharedFrom }) {
      if (sharedFrom !== undefined) throw unsupported('shared_from')
      if (!isLabelId(id)) throw absent()
      const label = await openApi(deps, session).getJson(at(gmailUrl, labelPath(id)))
      if (stringField(label, 'id') === undefined) {
        throw new ProviderError('malformed-response', 'Google answered a label without an id.', {
          answered: true,
        })
      }
      return labelToFolder(label, session.grantId)
    },
  }
}

/** The path of one label. */
export function labelPath(id: string): string {
  return `${LABELS}/${encodeURIComponent(id)}`
}

/** Nothing that would change the path is put into it. */
export function isLabelId(text: string): boolean {
  return text.length <= 256 && text !== '' && !/^\.+$/.test(text) && !/[/\\?#\s]/.test(text)
}

/** Gmail's own labels first, then by id, so that the order holds from page to page. */
function sortKey(label: JsonObject): string {
  return `${label['type'] === 'system' ? 0 : 1}${stringField(label, 'id') ?? ''}`
}

function compareLabels(one: JsonObject, other: JsonObject): number {
  return sortKey(one) < sortKey(other) ? -1 : 1
}

function absent(): ProviderError {
  return new ProviderError('not-found', 'The folder does not exist at Google.')
}
