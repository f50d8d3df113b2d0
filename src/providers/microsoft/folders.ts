import { LRUCache } from 'lru-cache'
import type { FullFolder } from '../../contract/folder.ts'
import type { FolderQuery, FoldersPort } from '../../core/ports/mail.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import { type JsonObject, numberField, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import { graphBase } from './endpoints.ts'
import { readFolderTree } from './folder-tree.ts'
import type { GraphDeps } from './graph-call.ts'
import { checkId } from './mailbox.ts'
import { readCursor, writeCursor } from './next-link.ts'

/** Well-known names and what they are on the wire (contract/email.md 7.3). */
const WELL_KNOWN: readonly (readonly [name: string, attribute: string])[] = [
  ['inbox', '\\Inbox'],
  ['sentitems', '\\Sent'],
  ['drafts', '\\Drafts'],
  ['deleteditems', '\\Trash'],
  ['junkemail', '\\Junk'],
  ['archive', '\\Archive'],
]

/** Attribute by folder id. Ids of folders are constant, so this is asked for once in a while only. */
type Attributes = ReadonlyMap<string, string>
const REMEMBERED_MAILBOXES = 2000
const REMEMBERED_MS = 3_600_000

/** Mail folders by Microsoft Graph. Names are localised: attributes tell what a folder is (contract/email.md 7.4). */
export function createGraphFolders(deps: GraphDeps): FoldersPort {
  const base = graphBase(deps.endpoints)
  const remembered = new LRUCache<string, Attributes>({ max: REMEMBERED_MAILBOXES, ttl: REMEMBERED_MS })

  const attributesOf = async (session: GrantSession, api: GraphApi): Promise<Attributes> => {
    const key = `${session.grantId} ${api.mailbox}`
    const known = remembered.get(key)
    if (known) return known
    const attributes = await readAttributes(api)
    remembered.set(key, attributes)
    return attributes
  }
  return {
    async list(session, query) {
      if (query.parentId !== undefined) checkId(query.parentId, 'parent_id')
      const api = openGraph(deps, session, query.sharedFrom)
      const [tree, attributes] = await Promise.all([
        readFolderTree(api, base, query),
        attributesOf(session, api),
      ])
      return pageOf(
        tree.flatMap((folder) => toFolder(folder, session.grantId, attributes) ?? []),
        query,
      )
    },
    async find(session, id, { sharedFrom }) {
      checkId(id, 'folder_id')
      const api = openGraph(deps, session, sharedFrom)
      const [resource, attributes] = await Promise.all([
        api.getJson(`${api.root}/mailFolders/${encodeURIComponent(id)}`),
        attributesOf(session, api),
      ])
      const folder = toFolder(resource, session.grantId, attributes)
      if (folder) return folder
      throw new ProviderError('malformed-response', 'Microsoft answered a folder without an id.', {
        answered: true,
      })
    },
  }
}

async function readAttributes(api: GraphApi): Promise<Attributes> {
  const paths = WELL_KNOWN.map(([name]) => `${api.root}/mailFolders/${name}`)
  const found = await api.getEach(paths, [['$select', 'id']])
  return new Map(
    WELL_KNOWN.flatMap(([, attribute], at) => {
      const id = stringField(found[at] ?? {}, 'id')
      return id ? [[id, attribute] as const] : []
    }),
  )
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

function toFolder(resource: JsonObject, grantId: string, attributes: Attributes): FullFolder | undefined {
  const id = stringField(resource, 'id')
  if (!id) return undefined
  const parent = stringField(resource, 'parentFolderId')
  const attribute = attributes.get(id)
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
