import type { JsonObject } from '../../kit/json.ts'

/** What a row says about its provider, in this version's words. */
export interface NamedProvider {
  readonly provider: string
  /** settings that the old name stood for */
  readonly settings: JsonObject
}

/** Names of Nylas v2 whose provider is the same whatever the row holds (contract/auth.md 9). */
const RENAMED: { readonly [name: string]: string } = {
  gmail: 'google',
  outlook: 'microsoft',
  office365: 'microsoft',
  graph: 'microsoft',
  hotmail: 'microsoft',
  eas: 'exchange',
}

/** v2 kept these as IMAP accounts with an app password; `type` names their servers to the IMAP provider. */
const BY_PASSWORD: { readonly [name: string]: string } = { yahoo: 'yahoo', aol: 'aol' }

/**
 * Brings the provider names of Nylas v2 to those of v3. An `exchange` account is Microsoft's where it comes with a
 * refresh token, and Exchange Web Services where it comes with a password; yahoo and aol with a password are
 * mailboxes of the IMAP provider.
 */
export function nameProvider(
  given: string,
  row: { readonly hasToken: boolean; readonly hasPassword: boolean },
): NamedProvider {
  const lower = given.trim().toLowerCase()
  const name = RENAMED[lower] ?? lower
  if (name === 'exchange') return { provider: row.hasToken ? 'microsoft' : 'ews', settings: {} }
  const type = BY_PASSWORD[name]
  if (type !== undefined && row.hasPassword && !row.hasToken) {
    return { provider: 'imap', settings: { type } }
  }
  return { provider: name === 'aol' ? 'imap' : name, settings: {} }
}
