import type { FastifyReply, FastifyRequest } from 'fastify'
import { appError } from '../../contract/errors.ts'
import { AppError } from '../../kit/app-error.ts'
import type { Logger } from '../../kit/logger.ts'
import { OAuthError, type OAuthErrorCode } from '../../kit/oauth-error.ts'

/** Paths whose errors have the OAuth body (contract/auth.md 1.1 B): SDKs choose the parser by the path. */
const OAUTH_PATHS = ['/v3/connect/token', '/v3/connect/revoke', '/v3/connect/tokeninfo']
const OAUTH_ERROR_URI = 'https://datatracker.ietf.org/doc/html/rfc6749#section-5.2'

/** Answers any error in the documented envelope. Nothing of an unknown error goes out. */
export function errorHandler(logger: Logger) {
  return function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    if (error instanceof OAuthError) {
      logger.debug(
        { requestId: request.id, route: request.routeOptions.url, code: error.code },
        'oauth_refused',
      )
      sendError(request, reply, error)
      return
    }
    const known = toAppError(error)
    logError(logger, request, error, known)
    sendError(request, reply, known)
  }
}

/** Answers an unknown route. */
export function notFoundHandler(request: FastifyRequest, reply: FastifyReply) {
  sendError(request, reply, appError('api.not_found_error'))
}

function sendError(request: FastifyRequest, reply: FastifyReply, error: AppError | OAuthError): void {
  const { retryAfterSeconds } = error instanceof OAuthError ? error : error.extras
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(Math.ceil(retryAfterSeconds)))
  if (error.status === 401) addChallenge(request, reply, error)
  void reply.code(error.status).header('content-type', 'application/json').send(bodyOf(request, error))
}

/** A client is told to try the scheme it used (RFC 6749 section 5.2). */
function addChallenge(request: FastifyRequest, reply: FastifyReply, error: AppError | OAuthError): void {
  if (error instanceof AppError) {
    if (error.type === 'token.unauthorized_access') void reply.header('www-authenticate', 'Bearer')
    return
  }
  const isBasic = /^basic /i.test(request.headers.authorization ?? '')
  void reply.header('www-authenticate', isBasic ? 'Basic realm="grantway"' : 'Bearer')
}

/** The body of an error: the envelope, or the OAuth form on its three paths. */
export function bodyOf(
  request: { readonly id: string; readonly url: string },
  error: AppError | OAuthError,
): string {
  if (error instanceof OAuthError) return JSON.stringify(oauthBody(request.id, error.code, error))
  if (!isOAuthPath(request.url)) return JSON.stringify(envelope(request.id, error))
  return JSON.stringify(oauthBody(request.id, oauthCodeOf(error.status), error))
}

function envelope(requestId: string, error: AppError): object {
  const { providerError, fields } = error.extras
  return {
    request_id: requestId,
    error: {
      ...fields,
      type: error.type,
      message: error.message,
      ...(providerError ? { provider_error: providerError } : {}),
    },
  }
}

/** All four fields must be there, or SDKs report an unknown error (contract/auth.md rule 4). */
function oauthBody(
  requestId: string,
  code: OAuthErrorCode,
  error: { readonly status: number; readonly message: string },
): object {
  return {
    request_id: requestId,
    error: code,
    error_code: error.status,
    error_description: error.message,
    error_uri: OAUTH_ERROR_URI,
  }
}

function oauthCodeOf(status: number): OAuthErrorCode {
  switch (status) {
    case 401:
      return 'invalid_client'
    case 429:
    case 503:
      return 'temporarily_unavailable'
    default:
      return status >= 500 ? 'server_error' : 'invalid_request'
  }
}

function isOAuthPath(url: string): boolean {
  const path = url.split('?', 1)[0]?.replaceAll(/\/{2,}/g, '/') ?? ''
  return OAUTH_PATHS.includes(path)
}

/** Turns whatever was thrown into an error of the catalogue. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const code = codeOf(error)
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return appError('api.unsupported_media_type')
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return appError('api.payload_too_large')
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return appError('api.invalid_request_payload')
    case 'FST_ERR_BAD_URL':
      return appError('api.invalid_request_error', 'The URL is not valid: its percent-encoding is broken.')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return appError('api.invalid_request_error', 'An id in the URL is too long.')
    default:
      return appError('api.internal_error', undefined, { cause: error })
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

export function logError(logger: Logger, request: FastifyRequest, error: unknown, known: AppError): void {
  const fields = { requestId: request.id, method: request.method, route: request.routeOptions.url }
  if (known.status >= 500 && !(error instanceof AppError) && known.extras.cause !== undefined) {
    // A client that hung up makes whatever it left behind fail: nobody is there to be answered.
    if (request.raw.socket.destroyed) logger.debug({ ...fields }, 'request_abandoned')
    else logger.error({ ...fields, err: error }, 'request_failed')
    return
  }
  const { detail, cause } = known.extras
  const event = { ...fields, status: known.status, type: known.type, detail, err: cause }
  if (known.status >= 500) logger.warn(event, 'request_refused')
  else logger.debug(event, 'request_refused')
}
