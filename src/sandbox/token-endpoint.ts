import { verify } from 'node:crypto'
import { isJsonObject, parseJson } from '../kit/json.ts'
import { json, oauthError } from './reply.ts'
import {
  type Consent,
  endConsent,
  mintAccessToken,
  mintRefreshToken,
  SANDBOX_CLIENT_ID,
  SANDBOX_CLIENT_SECRET,
  type SandboxState,
  SERVICE_ACCOUNT_EMAIL,
  serviceAccountKeys,
} from './state.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Answers a token call the way Google's token endpoint does, and notes it in the log. */
export function tokenEndpoint(state: SandboxState, request: SandboxRequest): SandboxReply {
  const form = new URLSearchParams(request.body)
  const reply = answer(state, form)
  const body = parseJson(reply.body)
  const error = isJsonObject(body) && typeof body['error'] === 'string' ? body['error'] : null
  state.tokenLog.push({
    grantType: form.get('grant_type') ?? '',
    refreshToken: form.get('refresh_token'),
    status: reply.status,
    error,
  })
  return reply
}

function answer(state: SandboxState, form: URLSearchParams): SandboxReply {
  const grantType = form.get('grant_type')
  if (grantType === JWT_BEARER) return jwtBearer(state, form.get('assertion') ?? '')
  if (form.get('client_id') !== SANDBOX_CLIENT_ID) {
    return oauthError(401, 'invalid_client', 'The OAuth client was not found.')
  }
  if (form.get('client_secret') !== SANDBOX_CLIENT_SECRET) {
    return oauthError(401, 'invalid_client', 'Unauthorized')
  }
  if (grantType !== 'refresh_token') {
    return oauthError(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType ?? ''}`)
  }
  return refresh(state, form.get('refresh_token') ?? '')
}

function refresh(state: SandboxState, token: string): SandboxReply {
  const known = state.refreshTokens.get(token)
  if (!known) return oauthError(400, 'invalid_grant', 'Bad Request')
  const { consent } = known
  if (state.strictRotation && known.used) endConsent(state, consent)
  if (consent.revoked) return oauthError(400, 'invalid_grant', 'Token has been expired or revoked.')
  if (!state.strictRotation) return tokens(state, consent.email, consent.scope, consent, undefined)
  known.used = true
  return tokens(state, consent.email, consent.scope, consent, mintRefreshToken(state, consent))
}

function tokens(
  state: SandboxState,
  email: string,
  scope: readonly string[],
  consent: Consent | null,
  refreshToken: string | undefined,
): SandboxReply {
  const user = state.users.get(email)
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: 'https://accounts.google.com',
    aud: SANDBOX_CLIENT_ID,
    sub: user?.sub,
    email,
    email_verified: true,
    name: user?.name,
    iat: now,
    exp: now + 3600,
  }
  return json({
    access_token: mintAccessToken(state, { email, scope, consent }),
    expires_in: state.accessTokenSeconds,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(consent ? { scope: scope.join(' ') } : {}),
    token_type: 'Bearer',
    ...(consent && scope.includes('openid') ? { id_token: unsignedJwt(claims) } : {}),
  })
}

/** Readers of an id token that came over this connection don't check its signature; it has none to check. */
function unsignedJwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('sandbox').toString('base64url')}`
}

function jwtBearer(state: SandboxState, assertion: string): SandboxReply {
  const [head, payload, signature] = assertion.split('.')
  if (!head || !payload || !signature) return oauthError(400, 'invalid_grant', 'Bad Request')
  const isSigned = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${payload}`),
    serviceAccountKeys(state).publicKey,
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) return oauthError(400, 'invalid_grant', 'Invalid JWT Signature.')
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'))
  if (!isJsonObject(claims) || claims['iss'] !== SERVICE_ACCOUNT_EMAIL) {
    return oauthError(400, 'invalid_grant', 'Invalid grant: account not found')
  }
  const now = Date.now() / 1000
  const { iat, exp, aud, sub, scope } = claims
  if (
    typeof iat !== 'number' ||
    typeof exp !== 'number' ||
    iat > now + 300 ||
    exp < now ||
    exp - iat > 3600
  ) {
    return oauthError(
      400,
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    )
  }
  if (typeof aud !== 'string' || !aud.endsWith('/token'))
    return oauthError(400, 'invalid_grant', 'Invalid JWT: Failed audience check.')
  if (typeof scope !== 'string' || scope.trim() === '') {
    return oauthError(400, 'invalid_scope', 'Empty or missing scope not allowed.')
  }
  if (typeof sub !== 'string' || !state.users.has(sub)) {
    return oauthError(400, 'invalid_grant', 'Invalid email or User ID')
  }
  return tokens(state, sub, scope.split(' '), null, undefined)
}

/** Revokes by refresh or access token; an unknown one is 400 `invalid_token`, as at Google. */
export function revokeEndpoint(state: SandboxState, request: SandboxRequest): SandboxReply {
  const token = new URLSearchParams(request.body).get('token') ?? request.url.searchParams.get('token') ?? ''
  const consent = state.refreshTokens.get(token)?.consent ?? state.accessTokens.get(token)?.consent
  if (!consent || consent.revoked) return oauthError(400, 'invalid_token', 'Token expired or revoked')
  endConsent(state, consent)
  return json({})
}
