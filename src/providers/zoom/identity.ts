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
import { type HttpClient, jsonOf, retryAfterSeconds } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { Secret } from '../../kit/secret.ts'
import { refreshAccessToken } from '../../protocols/oauth2/refresh.ts'
import type { TokenAnswer } from '../../protocols/oauth2/token-request.ts'
import { judgeZoomTokenError, zoomApiError } from './errors.ts'

/** Set by the operator, so trusted. `/v2/…` is added to `apiUrl`. */
export interface ZoomEndpoints {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly apiUrl: string
}

export interface ZoomDeps {
  readonly endpoints: ZoomEndpoints
  readonly http: HttpClient
  readonly clock: Clock
}

const API_TIMEOUT_MS = 15_000
const API_MAX_BYTES = 1024 * 1024

/** How Zoom's accounts are signed in: by a refresh token that dies with each use. */
export function createZoomIdentity(deps: ZoomDeps): Identity {
  return {
    readSettings,
    exchange: (call) => exchange(deps, call),
    identify: (call) => identify(deps, call),
  }
}

function readSettings(settings: JsonObject): GrantMaterial {
  const refreshToken = stringField(settings, 'refresh_token')?.trim()
  if (!refreshToken) throw appError('api.invalid_request_error', 'settings.refresh_token is required')
  const credentialId = stringField(settings, 'credential_id')?.trim()
  return {
    secret: { kind: 'refresh-token', refreshToken: new Secret(refreshToken) },
    credentialType: 'connector',
    ...(credentialId ? { credentialId } : {}),
    publicSettings: {},
  }
}

/** One call, never repeated here: a second one with the same token would be refused. */
async function exchange({ endpoints, http, clock }: ZoomDeps, call: ExchangeCall): Promise<Tokens> {
  if (call.secret.kind !== 'refresh-token') {
    throw new ProviderError('invalid-request', 'Zoom takes a refresh token.')
  }
  const answer = await refreshAccessToken(http, {
    url: endpoints.tokenUrl,
    client: call.client,
    // developers.zoom.us/docs/integrations/oauth (checked 2026-11): client id and secret in HTTP Basic
    clientAuthentication: 'basic',
    refreshToken: call.secret.refreshToken,
    signal: call.signal,
    judge: judgeZoomTokenError,
    nowMs: clock.nowMs(),
  })
  return toTokens(answer)
}

/** Reads what the token endpoint answered, for whatever it was asked. */
export function toTokens({ body: _body, ...tokens }: TokenAnswer): Tokens {
  return tokens
}

async function identify(deps: ZoomDeps, { tokens, signal }: IdentifyCall): Promise<Account> {
  if (!tokens) throw new ProviderError('invalid-request', 'Zoom needs a token to name the account.')
  const user = await getMe(deps, tokens, signal)
  const email = stringField(user, 'email')?.trim()
  if (!email) {
    throw new ProviderError('access-refused', 'Zoom did not tell the email address of the account.', {
      advice: 'Add the scope user:read:user to the app and let the user consent again.',
      answered: true,
    })
  }
  const id = stringField(user, 'id')
  const name = nameOf(user)
  return {
    email,
    identityKey: id || null,
    ...(id ? { providerUserId: id } : {}),
    ...(name ? { name } : {}),
    ...(tokens.scope ? { scope: tokens.scope } : {}),
    publicSettings: {},
  }
}

async function getMe(
  { endpoints, http, clock }: ZoomDeps,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<JsonObject> {
  const response = await http.request({
    method: 'GET',
    url: `${endpoints.apiUrl.replace(/\/+$/, '')}/v2/users/me`,
    headers: { accept: 'application/json', authorization: `Bearer ${tokens.accessToken.open()}` },
    signal,
    timeoutMs: API_TIMEOUT_MS,
    maxBytes: API_MAX_BYTES,
  })
  const body = jsonOf(response)
  if (response.status < 200 || response.status >= 300) {
    throw zoomApiError(response.status, body, retryAfterSeconds(response, clock.nowMs()))
  }
  if (isJsonObject(body)) return body
  throw new ProviderError('malformed-response', 'Zoom answered something that is not its JSON.', {
    httpStatus: response.status,
    answered: true,
  })
}

function nameOf(user: JsonObject): string | undefined {
  const shown = stringField(user, 'display_name')?.trim()
  const parts = [stringField(user, 'first_name')?.trim(), stringField(user, 'last_name')?.trim()]
  return shown || parts.filter(Boolean).join(' ') || undefined
}
