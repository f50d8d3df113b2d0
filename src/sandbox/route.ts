import { AUTH, authenticate, type Caller, missingScope } from './caller.ts'
import { calendarApi } from './calendar.ts'
import { gmailApi } from './gmail/api.ts'
import { batchEndpoint } from './gmail/batch.ts'
import { peopleApi } from './people.ts'
import { apiError, json, notFound, oauthError } from './reply.ts'
import type { SandboxState } from './state.ts'
import { revokeEndpoint, tokenEndpoint } from './token-endpoint.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

/** Answers one request to Google's addresses. */
export function route(state: SandboxState, request: SandboxRequest): SandboxReply {
  const { pathname } = request.url
  noteRequest(state, request)
  if (pathname === '/token') {
    return request.method === 'POST'
      ? tokenEndpoint(state, request)
      : oauthError(405, 'invalid_request', 'Use POST')
  }
  if (pathname === '/revoke') return revokeEndpoint(state, request)
  if (pathname === '/batch/gmail/v1' && request.method === 'POST')
    return batchEndpoint(state, request, routeApi)
  return routeApi(state, request)
}

/** Counts calls to Gmail: a batch is one. */
function noteRequest(state: SandboxState, request: SandboxRequest): void {
  const user = /\/gmail\/v1/.test(request.url.pathname) ? authenticate(state, request)?.user : undefined
  if (!user) return
  const spending = state.spent.get(user.email) ?? { requests: 0, units: 0, recent: [] }
  state.spent.set(user.email, spending)
  spending.requests += 1
}

/** Answers one API call, on its own or inside a batch. */
function routeApi(state: SandboxState, request: SandboxRequest): SandboxReply {
  const caller = authenticate(state, request)
  if (!caller) {
    return apiError(
      401,
      'authError',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
      'UNAUTHENTICATED',
    )
  }
  const { pathname } = request.url
  if (pathname === '/v1/userinfo') return userinfo(caller)
  if (/^(\/upload)?\/gmail\/v1\/users\//.test(pathname)) return gmailApi(state, caller, request)
  if (request.method !== 'GET') return notFound()
  if (pathname.startsWith('/calendar/v3/')) return calendarApi(caller, request)
  if (pathname.startsWith('/v1/people/')) return peopleApi(caller, request)
  return notFound()
}

function userinfo({ user, scope }: Caller): SandboxReply {
  const hasEmail = scope.includes(`${AUTH}userinfo.email`) || scope.includes('email')
  const hasProfile = scope.includes(`${AUTH}userinfo.profile`) || scope.includes('profile')
  if (!scope.includes('openid') && !hasEmail && !hasProfile) return missingScope()
  return json({
    sub: user.sub,
    ...(hasProfile ? { name: user.name } : {}),
    ...(hasEmail ? { email: user.email, email_verified: true } : {}),
  })
}
