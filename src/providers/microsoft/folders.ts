import type { FullFolder } from '../../contract/folder.ts'
import type { FolderQuery, FoldersPort } from '../../core/ports/mail.ts'
import { type JsonObject, numberField, stringField } from '../../kit/json.ts'
import { openGraph } from './api.ts'
import { graphBase } from './endpoints.ts'
import { readFolderTree } from './folder-tree.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { checkId } from './mailbox.ts'
import { readCursor, writeCursor } from './next-link.ts'
import type { FolderRoles } from './well-known-folders.ts'

/** Mail folders by Microsoft Graph. Names are localised: attributes tell what a folder is (contract/email.md 7.4). */
export function createGraphFolders(deps: GraphDeps): FoldersPort {
  const base = graphBase(deps.endpoints)
  return {
    async list(session, query) {
      if (query.parentId !== undefined) checkId(query.parentId, 'parent_id')
      const api = openGraph(deps, session, query.sharedFrom)
      const [tree, roles] = await Promise.all([
        readFolderTree(api, base, query),
        deps.wellKnown.of(session, api),
      ])
      return pageOf(
        tree.flatMap((folder) => toFolder(folder, session.grantId, roles) ?? []),
        query,
      )
    },
    async find(session, id, { sharedFrom }) {
      checkId(id, 'folder_id')
      const api = openGraph(deps, session, sharedFrom)
      const [resource, roles] = await Promise.all([
        api.getJson(`${api.root}/mailFolders/${encodeURIComponent(id)}`),
        deps.wellKnown.of(session, api),
      ])
      return toFolder(resource, session.grantId, roles) ?? throwWithoutId('a folder')
    },
  }
}

/** A page of the tree by our own cursor: Graph has no list of all folders. */
function pageOf(folders: readonly FullFolder[], { cursor, limit }: FolderQuery) {
  const start = cursor === undefined ? undefined : readCursor(cursor)
  const known = start ? folders.findIndex(({ id }) => id === start.after) : -1
  const offset = known === -1 ? (start?.offset ?? 0) : known + 1
  const items = folders.slice(offset, offset + limit)
  const last = items.at(-1)
  if (!last || offset + limit >= folders.length) return { items }
  return { items, nextCursor: writeCursor({ offset: offset + limit, pageSize: limit, after: last.id }) }
}

/** Maps a folder; `undefined` where it has no id. */
export function toFolder(resource: JsonObject, grantId: string, roles: FolderRoles): FullFolder | undefined {
  const id = stringField(resource, 'id')
  if (!id) return undefined
  const parent = stringField(resource, 'parentFolderId')
  const attribute = roles.attributeOf(id)
  return {
    id,
    grant_id: grantId,
    object: 'folder',
    name: stringField(resource, 'displayName') ?? '',
    ...(parent ? { parent_id: parent } : {}),
    ...count(resource, 'childFolderCount', 'child_count'),
    ...count(resource, 'totalItemCount', 'total_count'),
    ...count(resource, 'unreadItemCount', 'unread_count'),
    system_folder: attribute !== undefined,
    attributes: attribute === undefined ? [] : [attribute],
  }
}

function count(resource: JsonObject, from: string, to: 'child_count' | 'total_count' | 'unread_count') {
  const value = numberField(resource, from)
  return value === undefined ? {} : { [to]: Math.max(0, Math.trunc(value)) }
}
