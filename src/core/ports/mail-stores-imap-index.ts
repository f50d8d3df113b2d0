import type { GrantId } from '../../contract/ids.ts'

/** A mailbox of a grant: another server or user under the same grant has an index of its own. */
export interface IndexedAccount {
  readonly grantId: GrantId
  /** digest of what tells accounts apart */
  readonly account: string
}

/** Rows of one folder, packed by who keeps them. */
export interface IndexPiece {
  readonly path: string
  readonly uidValidity: number
  /** base64 */
  readonly rows: string
}

/**
 * What is known of IMAP accounts' messages: digests, dates and places. It can be read again from the mailbox, so it
 * may be lost or incomplete. It goes with its grant.
 */
export interface ImapIndexStore {
  /** Every piece of an account, in the order in which they were kept. */
  list(account: IndexedAccount): Promise<readonly IndexPiece[]>
  /** Adds pieces. Those of the same folder under another UIDVALIDITY, and of other accounts of the grant, are dropped. */
  add(account: IndexedAccount, pieces: readonly IndexPiece[]): Promise<void>
  /** Puts these in the place of all that are kept of the grant. */
  replace(account: IndexedAccount, pieces: readonly IndexPiece[]): Promise<void>
}
