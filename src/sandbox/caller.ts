import { apiError } from './reply.ts'
import type { AccessToken, SandboxState, SandboxUser } from './state.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

export const AUTH = 'https://www.googleapis.com/auth/'

/** Who asks, after the bearer token was checked. */
export interface Caller {
  readonly user: SandboxUser
  readonly scope: readonly string[]
}

/** Checks the bearer token: known, not expired, its consent not withdrawn. */
export function authenticate(state: SandboxState, request: SandboxRequest): Caller | undefined {
  const [, token] = /^Bearer (\S+)$/i.exec(request.headers['authorization'] ?? '') ?? []
  const access: AccessToken | undefined = token === undefined ? undefined : state.accessTokens.get(token)
  if (!access || access.expiresAtMs <= Date.now() || access.consent?.revoked) return undefined
  const user = state.users.get(access.email)
  return user && { user, scope: access.scope }
}

/** The answer to a token that lacks the scope. */
export function missingScope(): SandboxReply {
  return apiError(
    403,
    'insufficientPermissions',
    'Request had insufficient authentication scopes.',
    'PERMISSION_DENIED',
  )
}

/** Tells whether the caller holds one of these scopes of Google's. */
export function holds(caller: Caller, names: readonly string[]): boolean {
  return caller.scope.some(
    (scope) => scope === 'https://mail.google.com/' || names.includes(scope.replace(AUTH, '')),
  )
}
