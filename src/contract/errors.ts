import { AppError, type AppErrorExtras } from '../kit/app-error.ts'

interface CatalogueEntry {
  readonly type: string
  readonly status: number
  /** Public text when the caller gives none. */
  readonly message: string
  /** One sentence for docs/errors.md: when this is answered and what the client can do. */
  readonly meaning: string
}

/**
 * Every error this server answers. Sources: design.md section 10 first, then contract/auth.md 1.2 and 2.5,
 * contract/email.md 1.2 and 16.
 */
export const ERRORS = {
  'token.unauthorized_access': {
    type: 'token.unauthorized_access',
    status: 401,
    message: 'Bearer token invalid.',
    meaning: 'The API key or access token is missing, unknown, revoked, or not allowed on this route.',
  },
  'api.not_found_error': {
    type: 'api.not_found_error',
    status: 404,
    message: 'This route does not exist.',
    meaning: 'No such route, or no such object of this server (callback URI, for example).',
  },
  'api.method_not_allowed': {
    type: 'api.invalid_request_error',
    status: 405,
    message: 'This route does not take that method.',
    meaning: 'The route exists, with other methods; the header Allow names them.',
  },
  'api.invalid_request_payload': {
    type: 'api.invalid_request_payload',
    status: 400,
    message: 'The request body is not valid JSON.',
    meaning: 'The body cannot be parsed as JSON.',
  },
  'api.unsupported_media_type': {
    type: 'api.invalid_request_payload',
    status: 415,
    message: 'The request body must be application/json.',
    meaning: 'The content type of the body is not one this route reads.',
  },
  'api.payload_too_large': {
    type: 'api.invalid_request_error',
    status: 413,
    message: 'The request body is too large.',
    meaning: 'The body is over the limit of this route.',
  },
  'api.invalid_request_error': {
    type: 'api.invalid_request_error',
    status: 400,
    message: 'The request is not valid.',
    meaning: 'A field or parameter is missing or wrong; the message names it.',
  },
  'api.rate_limit_error': {
    type: 'api.rate_limit_error',
    status: 429,
    message: 'Too many requests.',
    meaning: 'This server’s own rate limit; wait for Retry-After seconds.',
  },
  'api.resource_blocked': {
    type: 'api.resource_blocked',
    status: 423,
    message: 'The application or grant is blocked.',
    meaning: 'An operator has blocked the application or the grant.',
  },
  'api.internal_error': {
    type: 'api.internal_error',
    status: 500,
    message: 'Something went wrong on our side.',
    meaning: 'A fault of this server; the log has the details under the request id.',
  },
  'api.unavailable': {
    type: 'api.internal_error',
    status: 503,
    message: 'The database cannot be reached. Try again shortly.',
    meaning: 'The database is unreachable; nothing was lost, try again after Retry-After seconds.',
  },
  'api.provider_error': {
    type: 'api.provider_error',
    status: 504,
    message: 'The provider did not answer as expected.',
    meaning: 'The provider is unreachable, too slow, failing, or refuses the connector’s own credentials.',
  },
  'grant.not_found': {
    type: 'grant.not_found',
    status: 404,
    message: 'No Grant found for this Grant ID.',
    meaning: 'The grant is unknown, deleted, or belongs to another application.',
  },
  'grant.expired': {
    type: 'grant.expired',
    status: 401,
    message: 'Grant is expired. Re-authenticate the user.',
    meaning:
      'The grant is invalid; provider_error and reason say why. A new POST /v3/connect/custom heals it.',
  },
  'grant.access_denied': {
    type: 'grant.access_denied',
    status: 403,
    message: 'The access token belongs to another grant.',
    meaning: 'An access token reaches its own grant only, by any form of its identifier, or as me.',
  },
  'grant.provider_required': {
    type: 'grant.provider_required',
    status: 400,
    message: 'provider is required.',
    meaning: 'connect/custom was called without a provider.',
  },
  'grant.refresh_token_invalid': {
    type: 'grant.refresh_token_invalid',
    status: 401,
    message: 'The provider rejected the refresh token.',
    meaning: 'The refresh token is revoked, expired, spent, or belongs to another client.',
  },
  'grant.invalid_authentication': {
    type: 'grant.invalid_authentication',
    status: 400,
    message: 'Authentication failed.',
    meaning: 'The provider refused the mailbox credentials or the connector’s client id and secret.',
  },
  'grant.reauth_email_invalid': {
    type: 'grant.reauth_email_invalid',
    status: 400,
    message: 'The account differs from the one of this grant.',
    meaning: 'New settings of a grant belong to another mailbox than the grant.',
  },
  'grant.callback_uri_not_allowed': {
    type: 'grant.callback_uri_not_allowed',
    status: 400,
    message: 'The redirect_uri is not registered for this application.',
    meaning:
      'connect/auth names a redirect_uri that differs from every callback URI of the application, byte for byte; nobody is redirected.',
  },
  'grant.login_id_invalid': {
    type: 'grant.login_id_invalid',
    status: 400,
    message: 'This sign-in has expired, is finished, or was started in another browser.',
    meaning: 'The session of hosted authentication is unknown or over; start again from the application.',
  },
  'grant.scopes_conflict': {
    type: 'grant.scopes_conflict',
    status: 400,
    message: 'Some of the requested permissions were not granted.',
    meaning: 'The user left out a permission on the provider’s consent page; no grant was made or changed.',
  },
  'token.exchange_failed': {
    type: 'token.exchange_failed',
    status: 400,
    message: 'The provider did not accept the code it has just given.',
    meaning: 'Hosted authentication could not trade the provider’s code for tokens; start again.',
  },
  'connector.not_found': {
    type: 'connector.not_found',
    status: 404,
    message: 'Connector not found.',
    meaning: 'The application has no connector for this provider.',
  },
  'connector.missing': {
    type: 'connector.not_found',
    status: 400,
    message: 'Connector not found for this provider.',
    meaning: 'connect/custom names a provider for which the application has no connector yet.',
  },
  'connector.already_exists': {
    type: 'connector.already_exists',
    status: 400,
    message: 'A connector for this provider exists already.',
    meaning: 'One connector per provider and application.',
  },
  'credential.not_found': {
    type: 'credential.not_found',
    status: 404,
    message: 'Credential not found.',
    meaning: 'No such credential on this connector.',
  },
  insufficient_scopes: {
    type: 'insufficient_scopes',
    status: 403,
    message: 'The grant lacks the scopes for this request.',
    meaning: 'The user did not grant the permission; the grant stays valid for what it may do.',
  },
  not_found_error: {
    type: 'not_found_error',
    status: 404,
    message: 'The object does not exist at the provider.',
    meaning: 'Message, folder or attachment unknown at the provider.',
  },
  unauthorized: {
    type: 'unauthorized',
    status: 401,
    message: 'The provider refused the grant’s token.',
    meaning:
      'The provider’s API refused a fresh token, for example because a service is switched off for the account.',
  },
  rate_limit_error: {
    type: 'rate_limit_error',
    status: 429,
    message: 'The provider is throttling this account.',
    meaning: 'The provider’s throttle; wait for Retry-After seconds.',
  },
  message_rejected: {
    type: 'provider_error',
    status: 402,
    message: 'The provider refused the message or one of its recipients.',
    meaning: 'The provider refused the content, or a recipient, for good; provider_error has its words.',
  },
  send_as_denied: {
    type: 'provider_error',
    status: 403,
    message: 'The account may not send as this address.',
    meaning: 'from names an address that the provider does not let this account use.',
  },
  message_too_large: {
    type: 'invalid_request_error',
    status: 413,
    message: 'The message is larger than the provider takes.',
    meaning: 'The message with its attachments is over the ceiling of the provider.',
  },
  mailbox_full: {
    type: 'provider_error',
    status: 422,
    message: 'The mailbox is full.',
    meaning: 'The account has no room left at the provider; nothing was stored.',
  },
  smtp_unavailable: {
    type: 'provider_error',
    status: 503,
    message: 'The SMTP server takes no connections.',
    meaning: 'The mail server for sending refuses connections; nothing was sent.',
  },
  'api.invalid_idempotency_key': {
    type: 'api.invalid_idempotency_key',
    status: 400,
    message: 'Idempotency-Key is empty or longer than 256 characters.',
    meaning: 'The header Idempotency-Key cannot be used.',
  },
  'api.invalid_idempotent_request': {
    type: 'api.invalid_idempotent_request',
    status: 409,
    message: 'This Idempotency-Key was used with another request.',
    meaning: 'The same key came with another payload within an hour.',
  },
  'api.concurrent_idempotent_request': {
    type: 'api.concurrent_idempotent_request',
    status: 409,
    message: 'A request with this Idempotency-Key is being worked on.',
    meaning: 'The first request with this key has no answer yet.',
  },
  'api.tracking_error': {
    type: 'api.tracking_error',
    status: 400,
    message: 'The message cannot be tracked as asked.',
    meaning: 'tracking_options cannot be carried out for this message; the message says why.',
  },
  'upload.conflict': {
    type: 'api.invalid_request_error',
    status: 409,
    message: 'The upload is completed or has failed already.',
    meaning: 'An upload session takes bytes and its completion once.',
  },
  'upload.expired': {
    type: 'api.invalid_request_error',
    status: 410,
    message: 'The upload session has expired.',
    meaning: 'An upload session lives an hour; start another.',
  },
  'upload.incomplete': {
    type: 'api.invalid_request_error',
    status: 422,
    message: 'The bytes of the upload are missing or of another size than announced.',
    meaning: 'The upload was completed before its bytes were there.',
  },
  'clean.too_complex': {
    type: 'api.invalid_request_error',
    status: 422,
    message: 'The message is too complex to be cleaned.',
    meaning:
      'The HTML of a message takes longer to read than any mail should; leave it out and read its body.',
  },
  'smart_compose.prompt_required': {
    type: 'prompt_required_error',
    status: 400,
    message: 'prompt is required.',
    meaning: 'Smart compose was called without a prompt.',
  },
  'smart_compose.invalid': {
    type: 'validation_error',
    status: 422,
    message: 'prompt has at most 1000 characters.',
    meaning: 'The prompt of smart compose is no text or too long.',
  },
  'smart_compose.no_model': {
    type: 'invalid_request_error',
    status: 400,
    message: 'This server has no language model configured, so it cannot compose messages.',
    meaning: 'Smart compose needs a language model; a self-hosted server has none.',
  },
  'webhook.not_found': {
    type: '70000',
    status: 404,
    message: 'destination.id.not.found: no webhook destination has this id.',
    meaning: 'The webhook destination, or its delivery, is unknown or belongs to another application.',
  },
  'webhook.invalid': {
    type: '70005',
    status: 400,
    message: 'The webhook request is not valid.',
    meaning:
      'A field of a webhook route is missing or wrong, or webhook_url failed its challenge; the message says which status it answered.',
  },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorKey = keyof typeof ERRORS

/** Makes the error of a catalogue key. `message` replaces the catalogue's text and is sent to the client. */
export function appError(key: ErrorKey, message?: string, extras: AppErrorExtras = {}): AppError {
  const entry = ERRORS[key]
  return new AppError(entry.type, entry.status, message ?? entry.message, extras)
}
