import { Type } from 'typebox'
import { OpenObject } from './envelope.ts'
import type { ProviderName } from './providers.ts'

/** Error body B (contract/auth.md 1.1): `connect/token`, `connect/revoke`, `connect/tokeninfo`, whatever goes wrong. */
export const OAuthErrorBody = Type.Object(
  {
    request_id: Type.String(),
    error: Type.String(),
    error_code: Type.Integer(),
    error_description: Type.String(),
    error_uri: Type.String(),
  },
  { $id: 'OAuthError' },
)

/** Longest parameters with room: a refresh token of Microsoft takes a few thousand characters. */
const Field = (description?: string) =>
  Type.Optional(Type.String({ maxLength: 16_384, ...(description === undefined ? {} : { description }) }))

/** Fields of `POST /v3/connect/token`, as JSON or as a form (contract/auth.md 4.1). */
export const TokenRequest = Type.Object({
  grant_type: Field('authorization_code, refresh_token or client_credentials'),
  client_id: Field('The application'),
  client_secret: Field('An API key of the application'),
  code: Field(),
  redirect_uri: Field('Byte for byte as in the request for the code'),
  code_verifier: Field(),
  refresh_token: Field(),
  grant_id: Field('For client_credentials'),
})

/** Answer of `POST /v3/connect/token`: flat, no envelope. */
export const TokenAnswerBody = Type.Object(
  {
    request_id: Type.String(),
    access_token: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer(),
    refresh_token: Type.Optional(Type.String()),
    id_token: Type.Optional(Type.String()),
    scope: Type.String({ description: 'Separated by spaces' }),
    grant_id: Type.String(),
    email: Type.String(),
    provider: Type.Optional(Type.String()),
  },
  { $id: 'TokenAnswer' },
)

export const TokenInfoBody = Type.Object(
  {
    iss: Type.String(),
    aud: Type.String({ description: 'The application' }),
    sub: Type.String({ description: 'The grant' }),
    email: Type.String(),
    iat: Type.Integer(),
    exp: Type.Integer(),
  },
  { $id: 'TokenInfo' },
)

/** Tokens as `tokeninfo` takes them. */
export const TokenInfoRequest = Type.Object({ id_token: Field(), access_token: Field() })

/** The token as `revoke` takes it, in the query or in the body. */
export const RevokeRequest = Type.Object({ token: Field() })

export const JwksBody = Type.Object({ request_id: Type.String(), keys: Type.Array(OpenObject) })

const SDK_PROVIDERS: ReadonlySet<ProviderName> = new Set([
  'google',
  'microsoft',
  'imap',
  'virtual-calendar',
  'icloud',
  'ews',
])

/** Whether the enumeration of the Java and Kotlin SDKs knows a provider: another one breaks them (rule 9). */
export function isKnownToSdks(provider: ProviderName): boolean {
  return SDK_PROVIDERS.has(provider)
}

/*
 * Google and Yahoo answer addresses of their own users, an iCloud login is a login to the mailbox. Microsoft's `mail` is
 * not guaranteed to be verified (learn.microsoft.com, "Migrate away from using email claims", checked 2026-11), and who
 * signs in to an IMAP server names the server himself: an address from there proves nothing.
 */
const PROVEN_ADDRESSES: ReadonlySet<ProviderName> = new Set(['google', 'yahoo', 'icloud'])

/** Whether the account of a grant is known to own its address (`email_verified` of an id token). */
export function provesAddress(provider: ProviderName): boolean {
  return PROVEN_ADDRESSES.has(provider)
}
