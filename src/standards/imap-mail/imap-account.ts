import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'

/** A mailbox account as the pool knows it. */
export interface ImapAccount {
  /** Tells accounts apart: the grant, the server and the user. Caches and connections are kept under it. */
  readonly key: string
  /** Opens a signed-in session. */
  open(signal: AbortSignal): Promise<ImapSession>
}

/** Finds the account of a grant; each provider brings its own. */
export type AccountOf = (session: GrantSession) => Promise<ImapAccount>
