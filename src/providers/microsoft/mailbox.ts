import type { GrantSession } from '../../core/ports/grant-session.ts'
import { isEmailAddress } from '../../formats/addresses.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'

/** Public setting of a grant that acts by app permissions: the mailbox it acts for. */
export const APP_MAILBOX = 'email_address'

export interface Mailbox {
  /** `/me`, or `/users/{address}` with app permissions and for shared mailboxes */
  readonly root: string
  /** Names the mailbox for its budget of concurrent requests. */
  readonly key: string
}

/**
 * Says whose mailbox a request is about.
 * @param sharedFrom  address of a shared mailbox
 * @throws ProviderError `invalid-request` when that is no address
 */
export function mailboxOf(session: GrantSession, sharedFrom?: string): Mailbox {
  if (sharedFrom !== undefined && !isEmailAddress(sharedFrom)) {
    throw new ProviderError('invalid-request', 'shared_from must be the address of the shared mailbox.')
  }
  const address = sharedFrom ?? stringField(session.settings, APP_MAILBOX)
  return address === undefined
    ? { root: '/me', key: session.email.toLowerCase() }
    : { root: userPath(address), key: address.toLowerCase() }
}

/** The path of a user by address or id. */
export function userPath(address: string): string {
  return `/users/${encodeURIComponent(address)}`
}

/**
 * Tells whether text can be an id of a message or folder. Graph takes words in that place too (`inbox`, `delta`),
 * which mean something else and are refused here (contract/email.md 7.4); real ids are never only letters.
 */
export function isGraphId(text: string): boolean {
  return /^[\w=+-]{1,512}$/.test(text) && !/^[A-Za-z]{1,40}$/.test(text)
}

/** @throws ProviderError `invalid-request` that names the parameter, for anything that is no id */
export function checkId(text: string, parameter: string): string {
  if (isGraphId(text)) return text
  throw new ProviderError('invalid-request', `${parameter} must be an id; names such as inbox are not taken.`)
}
