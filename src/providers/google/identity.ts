import { appError } from '../../contract/errors.ts'
import type {
  Account,
  ExchangeCall,
  GrantMaterial,
  Identity,
  IdentifyCall,
  Tokens,
} from '../../core/ports/identity.ts'
import type { Clock } from '../../kit/clock.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import type { HttpClient } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { Secret } from '../../kit/secret.ts'
import { refreshAccessToken } from '../../protocols/oauth2/refresh.ts'
import { idTokenClaims } from '../../protocols/oauth2/id-token.ts'
import { requestToken, type TokenAnswer } from '../../protocols/oauth2/token-request.ts'
import { errorOf, openApi, readObject } from './api.ts'
import { at, type GoogleEndpoints } from './endpoints.ts'
import { DEFAULT_SCOPES, mayReadSendAs, normalizeScopes } from './scopes.ts'
import { signAssertion } from './service-account.ts'
import type { MessageCache } from './body-cache.ts'
import { judgeGoogleTokenError } from './token-errors.ts'
import type { UnitBudget } from './unit-budget.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const IDENTITY_TIMEOUT_MS = 15_000
const IDENTITY_MAX_BYTES = 1024 * 1024

export interface GoogleDeps {
  readonly endpoints: GoogleEndpoints
  readonly http: HttpClient
  readonly clock: Clock
  /** Units of Gmail's quota per grant; absent: no limit */
  readonly budget?: UnitBudget
  /** Content of messages read before; absent: nothing is kept */
  readonly cache?: MessageCache
}

/** How Google's accounts are signed in: by refresh token, or by a service account for a mailbox. */
export function createGoogleIdentity(deps: GoogleDeps): Identity {
  return {
    readSettings,
    exchange: (call) => exchange(deps, call),
    identify: (call) => identify(deps, call),
    revoke: ({ secret, signal }) => revoke(deps, secret, signal),
    aliases: async (session) => {
      if (!mayReadSendAs(session.scope)) return []
      const api = openApi(deps, session)
      const answer = await api.getJson(at(deps.endpoints.gmailUrl, '/gmail/v1/users/me/settings/sendAs'))
      return sendAsAddresses(answer, session.email)
    },
  }
}

function readSettings(settings: JsonObject): GrantMaterial {
  const credentialId = optionalText(settings, 'credential_id')
  const withCredential = credentialId === undefined ? {} : { credentialId }
  if (settings['refresh_token'] !== undefined || settings['email_address'] === undefined) {
    const refreshToken = optionalText(settings, 'refresh_token')
    if (refreshToken === undefined) throw invalid('settings.refresh_token is required')
    return {
      secret: { kind: 'refresh-token', refreshToken: new Secret(refreshToken) },
      ...withCredential,
      credentialType: 'connector',
      publicSettings: {},
    }
  }
  const emailAddress = optionalText(settings, 'email_address')
  if (emailAddress === undefined) throw invalid('settings.email_address is required')
  if (credentialId === undefined) throw invalid('settings.credential_id is required')
  return {
    secret: { kind: 'impersonation', emailAddress, scopes: normalizeScopes(scopesOf(settings)) },
    ...withCredential,
    credentialType: 'serviceaccount',
    publicSettings: {},
  }
}

function optionalText(settings: JsonObject, name: string): string | undefined {
  const value = settings[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalid(`settings.${name} must be a string`)
  return value.trim() === '' ? undefined : value.trim()
}

function scopesOf(settings: JsonObject): readonly string[] {
  const { scopes } = settings
  if (scopes === undefined) return []
  if (Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string')) return scopes
  throw invalid('settings.scopes must be an array of strings')
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}

async function exchange({ endpoints, http, clock }: GoogleDeps, call: ExchangeCall): Promise<Tokens> {
  const { client, secret, signal } = call
  const nowMs = clock.nowMs()
  const request = {
    url: endpoints.tokenUrl,
    client,
    clientAuthentication: 'body' as const,
    signal,
    judge: judgeGoogleTokenError,
    nowMs,
  }
  if (secret.kind === 'refresh-token') {
    // No scope: Google answers with what was consented to (contract/auth.md 10.2).
    return toTokens(await refreshAccessToken(http, { ...request, refreshToken: secret.refreshToken }))
  }
  if (secret.kind !== 'impersonation') {
    throw new ProviderError('invalid-request', 'Google takes a refresh token or a service account.')
  }
  const asked = [secret.scopes, call.scope, DEFAULT_SCOPES].find((scopes) => scopes.length > 0) ?? []
  const scopes = normalizeScopes(asked)
  const assertion = await signAssertion({
    client,
    subject: secret.emailAddress,
    scopes,
    audience: endpoints.tokenUrl,
    nowMs,
  })
  const tokens = toTokens(
    await requestToken(http, { ...request, form: { grant_type: JWT_BEARER, assertion } }),
  )
  // The answer to an assertion names no scope: all that were asked for are granted, or none.
  return tokens.scope ? tokens : { ...tokens, scope: scopes }
}

/** Reads what the token endpoint answered, for whatever it was asked. */
export function toTokens({ accessToken, expiresAt, refreshToken, scope, idToken }: TokenAnswer): Tokens {
  return {
    accessToken,
    expiresAt,
    ...(refreshToken ? { refreshToken } : {}),
    ...(scope ? { scope: normalizeScopes(scope) } : {}),
    ...(idToken ? { idToken } : {}),
  }
}

/** Cheapest first: the id token (no call), userinfo, the Gmail profile (contract/auth.md 10.2). */
async function identify(deps: GoogleDeps, call: IdentifyCall): Promise<Account> {
  const { tokens, signal } = call
  if (!tokens) throw new ProviderError('invalid-request', 'Google needs a token to name the account.')
  const scope = tokens.scope ? { scope: tokens.scope } : {}
  const claims = await idTokenClaims(tokens.idToken)
  const known = toAccount(claims) ?? toAccount(await tryGet(deps, deps.endpoints.userinfoUrl, tokens, signal))
  if (known) return { ...known, ...scope, publicSettings: call.publicSettings }
  const profile = await tryGet(
    deps,
    at(deps.endpoints.gmailUrl, '/gmail/v1/users/me/profile'),
    tokens,
    signal,
  )
  const email = stringField(profile, 'emailAddress')?.trim()
  if (!email) {
    throw new ProviderError('access-refused', 'The email address of the account could not be learned.', {
      advice: 'Ask for the scopes openid, userinfo.email and userinfo.profile when the user consents.',
      answered: true,
    })
  }
  const sub = stringField(claims, 'sub')
  return {
    email,
    identityKey: sub ?? null,
    ...(sub === undefined ? {} : { providerUserId: sub }),
    ...scope,
    publicSettings: call.publicSettings,
  }
}

function toAccount(claims: JsonObject): Omit<Account, 'publicSettings'> | undefined {
  const email = stringField(claims, 'email')?.trim()
  if (!email) return undefined
  const sub = stringField(claims, 'sub')
  const name = stringField(claims, 'name')?.trim()
  return {
    email,
    identityKey: sub || null,
    ...(sub ? { providerUserId: sub } : {}),
    ...(name ? { name } : {}),
  }
}

/** Asks with the new token. A refusal (scope not granted, no mailbox) gives `{}`; a failure throws. */
async function tryGet(
  deps: GoogleDeps,
  url: string,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<JsonObject> {
  const response = await deps.http.request({
    method: 'GET',
    url,
    headers: { accept: 'application/json', authorization: `Bearer ${tokens.accessToken.open()}` },
    signal,
    timeoutMs: IDENTITY_TIMEOUT_MS,
    maxBytes: IDENTITY_MAX_BYTES,
  })
  if (response.status >= 200 && response.status < 300) return readObject(response)
  if ([400, 401, 403, 404].includes(response.status)) {
    const error = errorOf(response, deps.clock)
    if (error.kind !== 'rate-limited' && error.kind !== 'quota-exhausted') return {}
  }
  throw errorOf(response, deps.clock)
}

async function revoke(deps: GoogleDeps, secret: IdentifyCall['secret'], signal: AbortSignal): Promise<void> {
  if (secret.kind !== 'refresh-token') return
  const response = await deps.http.request({
    method: 'POST',
    url: deps.endpoints.revokeUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: secret.refreshToken.open() }).toString(),
    signal,
    timeoutMs: IDENTITY_TIMEOUT_MS,
    maxBytes: IDENTITY_MAX_BYTES,
  })
  // 400 invalid_token: it was dead already, which is what was wanted.
  if (response.status !== 400 && (response.status < 200 || response.status >= 300)) {
    throw errorOf(response, deps.clock)
  }
}

function sendAsAddresses(answer: JsonObject, own: string): readonly string[] {
  const entries = Array.isArray(answer['sendAs']) ? answer['sendAs'].filter(isJsonObject) : []
  return entries.flatMap((entry) => {
    const email = stringField(entry, 'sendAsEmail')?.trim()
    const status = stringField(entry, 'verificationStatus')
    const isUsable = entry['isPrimary'] !== true && (status === undefined || status === 'accepted')
    return email && isUsable && email.toLowerCase() !== own.toLowerCase() ? [email] : []
  })
}
