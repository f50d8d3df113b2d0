import type { FastifyRequest } from 'fastify'
import { appError } from '../../contract/errors.ts'
import type { Caller, Services } from '../../core/ports/services.ts'

const BEARER = /^bearer +([^\s]+) *$/i

/**
 * Finds who calls by `Authorization: Bearer …`, an API key or an access token of ours; the scheme's case doesn't matter
 * (RFC 9110 section 11.1).
 *
 * @param allowsToken  whether the holder of an access token may come here at all
 * @throws AppError 401 `token.unauthorized_access` for a missing, malformed, unknown or revoked bearer
 */
export async function authenticate(
  { apiKeys, tokens }: Pick<Services, 'apiKeys' | 'tokens'>,
  request: FastifyRequest,
  allowsToken: boolean,
): Promise<Caller> {
  const bearer = bearerOf(request)
  if (bearer === null) throw appError('token.unauthorized_access')
  const holder = await tokens.authenticate(bearer)
  if (holder && !allowsToken) {
    throw appError('token.unauthorized_access', 'This route needs an API key, not an access token.')
  }
  const caller = holder ?? (await apiKeys.authenticate(bearer))
  if (!caller) throw appError('token.unauthorized_access')
  return caller
}

/** Reads the bearer of a request; null where there is none. */
export function bearerOf(request: FastifyRequest): string | null {
  return readBearer(request.headers.authorization ?? '')
}

/** Reads the bearer of an Authorization header; null where there is none. */
export function readBearer(authorization: string): string | null {
  return BEARER.exec(authorization)?.[1] ?? null
}
