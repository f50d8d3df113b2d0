import { LRUCache } from 'lru-cache'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { toImapError } from '../../protocols/imap/errors.ts'
import { listFolders } from './folders.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'

/** Folders with a purpose that this server writes into, and what they are called where there is none yet. */
const NAMES = { '\\Sent': 'Sent', '\\Drafts': 'Drafts' } as const
type Purpose = keyof typeof NAMES

/** Where the folders with a purpose are, of all accounts; looked up again after a minute. */
export class SpecialFolders {
  readonly #paths = new LRUCache<string, string>({ max: 10_000, ttl: 60_000 })

  /** The path of the folder with that purpose; undefined where there is none. */
  async find(client: ImapSession, accountKey: string, purpose: Purpose): Promise<string | undefined> {
    const known = this.#paths.get(`${purpose} ${accountKey}`)
    if (known !== undefined) return known
    const folder = (await listFolders(client, false)).find(
      ({ attributes, isSelectable }) => isSelectable && attributes.includes(purpose),
    )
    if (folder) this.#paths.set(`${purpose} ${accountKey}`, folder.path)
    return folder?.path
  }

  /** As `find`, and opens it for reading; undefined where there is none. */
  async open(client: ImapSession, accountKey: string, purpose: Purpose): Promise<OpenedFolder | undefined> {
    for (let tries = 2; tries > 0; tries -= 1) {
      const path = await this.find(client, accountKey, purpose)
      if (path === undefined) return undefined
      const folder = await openFolder(client, path)
      if (folder) return folder
      // Renamed or removed since it was looked up.
      this.#paths.delete(`${purpose} ${accountKey}`)
    }
    return undefined
  }

  /** As `open`, and makes the folder, subscribed, where there is none. @throws ProviderError */
  async ensure(client: ImapSession, accountKey: string, purpose: Purpose): Promise<OpenedFolder> {
    const found = await this.open(client, accountKey, purpose)
    if (found) return found
    try {
      // imapflow puts the prefix of the personal namespace before the name (`INBOX.`), and subscribes.
      const { path } = await client.mailboxCreate(NAMES[purpose])
      const made = await openFolder(client, path)
      if (!made) throw new ProviderError('unavailable', 'The folder that was made can not be opened.')
      this.#paths.set(`${purpose} ${accountKey}`, path)
      return made
    } catch (error) {
      throw toImapError(error)
    }
  }
}
