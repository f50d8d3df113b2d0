import type { SandboxReply } from './types.ts'

/** An answer in JSON, as Google's front end labels it. */
export function json(
  body: unknown,
  status = 200,
  headers: { readonly [name: string]: string } = {},
): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify(body, null, 1),
  }
}

/** An error of Google's APIs: code, message, `errors` with a reason, canonical status. */
export function apiError(code: number, reason: string, message: string, status: string): SandboxReply {
  const headers: { [name: string]: string } =
    code === 401 ? { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' } : {}
  return json(
    { error: { code, message, errors: [{ message, domain: 'global', reason }], status } },
    code,
    headers,
  )
}

/** An error of the token endpoint (RFC 6749 section 5.2). */
export function oauthError(status: number, error: string, description: string): SandboxReply {
  return json({ error, error_description: description }, status)
}

export const notFound = (): SandboxReply =>
  apiError(404, 'notFound', 'Requested entity was not found.', 'NOT_FOUND')

export const invalidArgument = (message: string): SandboxReply =>
  apiError(400, 'invalidArgument', message, 'INVALID_ARGUMENT')

export const noContent: SandboxReply = { status: 204, headers: {}, body: '' }

export const tooLarge = (): SandboxReply =>
  apiError(413, 'uploadTooLarge', 'Request Entity Too Large', 'FAILED_PRECONDITION')

/** The older form of the throttle: 403 with a reason. */
export const overRate = (): SandboxReply =>
  apiError(403, 'userRateLimitExceeded', 'User-rate limit exceeded.', 'PERMISSION_DENIED')

/** The daily sending limit is reached; the text names the end. */
export function overSendLimit(retryAtMs: number): SandboxReply {
  const message = `User-rate limit exceeded.  Retry after ${new Date(retryAtMs).toISOString()} (Mail sending)`
  return apiError(429, 'rateLimitExceeded', message, 'RESOURCE_EXHAUSTED')
}

/** Gmail's throttle, as it words it. */
export function throttled(retryAfterSeconds: number | undefined): SandboxReply {
  const message = 'Too many concurrent requests for user.'
  return json(
    {
      error: {
        code: 429,
        message,
        errors: [{ message, domain: 'global', reason: 'rateLimitExceeded' }],
        status: 'RESOURCE_EXHAUSTED',
      },
    },
    429,
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  )
}
