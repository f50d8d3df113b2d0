import { isEmailAddress } from '../../formats/addresses.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'

/** The tenant that holds all personal accounts (learn.microsoft.com/entra/identity-platform/id-token-claims-reference, checked 2026-11). */
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'

/**
 * The address of a Graph user: `mail`, else the sign-in name. A guest's sign-in name
 * (`ada_partner.example#EXT#@host.onmicrosoft.com`) is no address of hers: then another one that Graph knows, else
 * the one it was made of (contract/auth.md 10.2).
 */
export function accountAddress(user: JsonObject): string | undefined {
  const signIn = stringField(user, 'userPrincipalName')?.trim() ?? ''
  const guest = homeOfGuest(signIn)
  const others = Array.isArray(user['otherMails']) ? user['otherMails'] : []
  const candidates = [
    stringField(user, 'mail'),
    ...(guest === undefined ? [signIn.replace(/^live\.com#/i, '')] : []),
    ...others,
    guest,
  ]
  return candidates
    .filter((candidate) => typeof candidate === 'string')
    .map((candidate) => candidate.trim())
    .find(isEmailAddress)
}

/** Undoes the writing of a guest's name: the last `_` before `#EXT#` was the `@`. */
function homeOfGuest(signIn: string): string | undefined {
  const [, home] = /^(.+)#EXT#@/i.exec(signIn) ?? []
  return home?.replace(/_([^_]*)$/, '@$1')
}

/** The display name of a Graph user. */
export function accountName(user: JsonObject): string | undefined {
  return stringField(user, 'displayName')?.trim() || undefined
}

/**
 * What an id token tells. `oid` is Graph's user id for accounts of an organization; a personal account's is
 * written otherwise there, so it is not taken.
 */
export function accountOfClaims(claims: JsonObject): {
  readonly email: string | undefined
  readonly userId: string | undefined
  readonly name: string | undefined
} {
  const tenant = stringField(claims, 'tid')
  const addresses = ['email', 'preferred_username', 'upn'].map(
    (name) => stringField(claims, name)?.trim() ?? '',
  )
  return {
    email: addresses.map((text) => homeOfGuest(text) ?? text).find(isEmailAddress),
    userId:
      tenant !== undefined && tenant !== PERSONAL_TENANT
        ? stringField(claims, 'oid') || undefined
        : undefined,
    name: stringField(claims, 'name')?.trim() || undefined,
  }
}

/** Other addresses of a mailbox: `proxyAddresses`, of which `SMTP:` is the primary one. */
export function aliasesOf(user: JsonObject, own: string): readonly string[] {
  const entries = Array.isArray(user['proxyAddresses']) ? user['proxyAddresses'] : []
  const addresses = entries.flatMap((entry) => {
    const [, address] = typeof entry === 'string' ? (/^smtp:(.+)$/i.exec(entry) ?? []) : []
    return address && isEmailAddress(address) && address.toLowerCase() !== own.toLowerCase() ? [address] : []
  })
  return [...new Set(addresses)]
}
