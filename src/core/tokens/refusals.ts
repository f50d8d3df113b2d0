import { OAuthError } from '../../kit/oauth-error.ts'

/*
 * Refusals of `connect/token`. Texts stay within the characters of RFC 6749 section 5.2 and repeat nothing that was
 * sent.
 */

/** A parameter is missing, repeated or unreadable. */
export function invalidRequest(description: string): OAuthError {
  return new OAuthError('invalid_request', 400, description)
}

export function invalidClient(description: string): OAuthError {
  return new OAuthError('invalid_client', 401, description)
}

/** The code or token does not do. */
export function invalidGrant(description: string): OAuthError {
  return new OAuthError('invalid_grant', 400, description)
}

export function invalidToken(): OAuthError {
  return new OAuthError('invalid_token', 400, 'The token is unknown, expired or revoked.')
}

/** Reads a field that must be there and not empty. */
export function requiredField(form: { readonly [name: string]: string }, name: string): string {
  const value = form[name]
  if (value === undefined || value === '') throw invalidRequest(`${name} is required.`)
  return value
}
