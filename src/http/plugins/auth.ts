import type { FastifyRequest } from 'fastify'
import { appError } from '../../contract/errors.ts'
import type { ApiKeyService, Caller } from '../../core/ports/services.ts'

const BEARER = /^bearer +([^\s]+) *$/i

/**
 * Finds who calls by `Authorization: Bearer …`; the scheme's case doesn't matter (RFC 9110 section 11.1).
 * @throws AppError 401 `token.unauthorized_access` for a missing, malformed, unknown or revoked key
 */
export async function authenticate(apiKeys: ApiKeyService, request: FastifyRequest): Promise<Caller> {
  const bearer = bearerOf(request)
  const caller = bearer === null ? null : await apiKeys.authenticate(bearer)
  if (!caller) throw appError('token.unauthorized_access')
  return caller
}

/** Reads the bearer of a request; null where there is none. */
export function bearerOf(request: FastifyRequest): string | null {
  return BEARER.exec(request.headers.authorization ?? '')?.[1] ?? null
}
