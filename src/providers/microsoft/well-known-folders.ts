import { LRUCache } from 'lru-cache'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import { stringField } from '../../kit/json.ts'
import type { GraphApi } from './api.ts'

/** Well-known names and what they are on the wire (contract/email.md 7.3). */
const WELL_KNOWN: readonly (readonly [name: WellKnownName, attribute: string])[] = [
  ['inbox', '\\Inbox'],
  ['sentitems', '\\Sent'],
  ['drafts', '\\Drafts'],
  ['deleteditems', '\\Trash'],
  ['junkemail', '\\Junk'],
  ['archive', '\\Archive'],
]

/** A folder that Graph takes by name; its display name is in the mailbox's language. */
export type WellKnownName = 'inbox' | 'sentitems' | 'drafts' | 'deleteditems' | 'junkemail' | 'archive'

/** Ids of one mailbox's well-known folders, and what each is. */
export interface FolderRoles {
  /** `\Inbox`, `\Sent`, …; undefined for the user's own folders */
  attributeOf(id: string): string | undefined
  idOf(name: WellKnownName): string | undefined
}

/** Knows which folder is which, of every mailbox. */
export interface WellKnownFolders {
  /** Reads the roles, in two calls at most, or gives what is remembered. @throws ProviderError */
  of(session: GrantSession, api: GraphApi): Promise<FolderRoles>
}

const REMEMBERED_MAILBOXES = 2000
const REMEMBERED_MS = 3_600_000

/** Makes the memory. Ids of folders are constant, so they are asked for once in a while only. */
export function createWellKnownFolders(): WellKnownFolders {
  const remembered = new LRUCache<string, FolderRoles>({ max: REMEMBERED_MAILBOXES, ttl: REMEMBERED_MS })
  return {
    async of(session, api) {
      const key = `${session.grantId} ${api.mailbox}`
      const known = remembered.get(key)
      if (known) return known
      const roles = await readRoles(api)
      remembered.set(key, roles)
      return roles
    },
  }
}

async function readRoles(api: GraphApi): Promise<FolderRoles> {
  const paths = WELL_KNOWN.map(([name]) => `${api.root}/mailFolders/${name}`)
  const found = await api.getEach(paths, [['$select', 'id']])
  const attributes = new Map<string, string>()
  const ids = new Map<WellKnownName, string>()
  for (const [at, [name, attribute]] of WELL_KNOWN.entries()) {
    const id = stringField(found[at] ?? {}, 'id')
    if (!id) continue
    attributes.set(id, attribute)
    ids.set(name, id)
  }
  return { attributeOf: (id) => attributes.get(id), idOf: (name) => ids.get(name) }
}
