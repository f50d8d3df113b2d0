import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../../kit/oauth-error.ts'

/** More fields than any request of RFC 6749 has. */
const MAX_FIELDS = 64

/**
 * Reads `application/x-www-form-urlencoded` bodies in a scope, as OAuth clients send them. A repeated field is refused
 * (RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once").
 */
export function registerFormBodies(scope: FastifyInstance): void {
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      const fields = new Map<string, string>()
      for (const [name, value] of new URLSearchParams(body)) {
        if (fields.has(name)) return done(repeated())
        if (fields.size >= MAX_FIELDS) return done(tooMany())
        fields.set(name, value)
      }
      done(null, Object.fromEntries(fields))
    },
  )
}

function repeated() {
  return new OAuthError('invalid_request', 400, 'A field of the form comes more than once.')
}

function tooMany() {
  return new OAuthError('invalid_request', 400, 'The form has too many fields.')
}
