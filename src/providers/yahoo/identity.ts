import { appError } from '../../contract/errors.ts'
import type { Identity, ProviderClient, Tokens } from '../../core/ports/identity.ts'
import type { Clock } from '../../kit/clock.ts'
import { isJsonObject, stringField } from '../../kit/json.ts'
import { type HttpClient, jsonOf, retryAfterSeconds } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { Secret } from '../../kit/secret.ts'
import { refreshAccessToken } from '../../protocols/oauth2/refresh.ts'
import type { TokenAnswer } from '../../protocols/oauth2/token-request.ts'
import { judgeYahooTokenError } from './errors.ts'

/** Set by the operator, so trusted as they are. */
export interface YahooEndpoints {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly userinfoUrl: string
  readonly imap: { readonly host: string; readonly port: number }
  readonly smtp: { readonly host: string; readonly port: number }
}

/** What speaking OAuth with Yahoo needs. */
export interface YahooOAuthDeps {
  readonly http: HttpClient
  readonly endpoints: YahooEndpoints
  readonly clock: Clock
}

const USERINFO_TIMEOUT_MS = 15_000

/** Makes the identity port: refresh token in, who it is by OpenID Connect userinfo. */
export function createYahooIdentity(deps: YahooOAuthDeps): Identity {
  return {
    readSettings(settings) {
      const refreshToken = stringField(settings, 'refresh_token')?.trim()
      if (!refreshToken) throw appError('api.invalid_request_error', 'settings.refresh_token is required')
      const credentialId = stringField(settings, 'credential_id')
      return {
        secret: { kind: 'refresh-token', refreshToken: new Secret(refreshToken) },
        credentialType: 'connector',
        ...(credentialId ? { credentialId } : {}),
        publicSettings: {},
      }
    },
    async exchange({ client, secret, signal }) {
      if (secret.kind !== 'refresh-token') {
        throw new ProviderError('invalid-request', 'A yahoo grant needs a refresh token.')
      }
      return refresh(deps, client, secret.refreshToken, signal)
    },
    async identify({ tokens, signal }) {
      if (!tokens) throw new ProviderError('invalid-request', 'A yahoo grant needs tokens.')
      const profile = await userinfo(deps, tokens.accessToken, signal)
      const email = stringField(profile, 'email')
      if (!email) {
        throw new ProviderError(
          'access-refused',
          'Yahoo did not tell the email address: the app needs the scopes openid and email.',
        )
      }
      const userId = stringField(profile, 'sub') ?? tokens.hints?.['guid']
      const name = stringField(profile, 'name')
      return {
        email,
        identityKey: userId ?? null,
        ...(userId ? { providerUserId: userId } : {}),
        ...(name ? { name } : {}),
        ...(tokens.scope ? { scope: tokens.scope } : {}),
        publicSettings: {},
      }
    },
  }
}

async function refresh(
  deps: YahooOAuthDeps,
  client: ProviderClient,
  refreshToken: Secret,
  signal: AbortSignal,
): Promise<Tokens> {
  const answer = await refreshAccessToken(deps.http, {
    url: deps.endpoints.tokenUrl,
    client,
    clientAuthentication: 'basic',
    refreshToken,
    // Yahoo asks for it on refresh too; `oob` stands for no redirect (OAuth 2.0 guide, checked 2026-11).
    redirectUri: 'oob',
    signal,
    judge: judgeYahooTokenError,
    nowMs: deps.clock.nowMs(),
  })
  return toTokens(answer)
}

/** Reads what the token endpoint answered, for whatever it was asked; the user's guid is kept for `identify`. */
export function toTokens({ body, ...tokens }: TokenAnswer): Tokens {
  const guid = stringField(body, 'xoauth_yahoo_guid')
  return { ...tokens, ...(guid ? { hints: { guid } } : {}) }
}

async function userinfo(deps: YahooOAuthDeps, accessToken: Secret, signal: AbortSignal) {
  const response = await deps.http.request({
    method: 'GET',
    url: deps.endpoints.userinfoUrl,
    headers: { accept: 'application/json', authorization: `Bearer ${accessToken.open()}` },
    signal,
    timeoutMs: USERINFO_TIMEOUT_MS,
    maxBytes: 1024 * 1024,
  })
  const { status } = response
  if (status === 401 || status === 403) {
    throw new ProviderError('access-refused', `Yahoo refused to say who the user is (${status}).`, {
      httpStatus: status,
    })
  }
  if (status === 429) {
    const retry = retryAfterSeconds(response, deps.clock.nowMs())
    throw new ProviderError('rate-limited', 'Yahoo is throttling.', {
      httpStatus: status,
      ...(retry === undefined ? {} : { retryAfterSeconds: retry }),
    })
  }
  if (status !== 200)
    throw new ProviderError('unavailable', `Yahoo answered ${status}.`, { httpStatus: status })
  const body = jsonOf(response)
  if (isJsonObject(body)) return body
  throw new ProviderError('malformed-response', 'Yahoo sent a user profile that can not be read.')
}
