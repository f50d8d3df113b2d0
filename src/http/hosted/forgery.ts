import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SessionHandle } from '../../core/ports/oauth-services.ts'

/** The token in each form of a session. Nobody makes it without the secret in the browser's cookie. */
export function formToken({ id, browserSecret }: SessionHandle): string {
  return createHmac('sha256', browserSecret).update(`form:${id}`).digest('base64url')
}

/** Tells whether a form is of this session and this browser. */
export function isFormToken(given: string, session: SessionHandle): boolean {
  const expected = Buffer.from(formToken(session))
  const bytes = Buffer.from(given)
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}

/**
 * Tells whether a request comes from a page of ours, as far as the browser says: by `Sec-Fetch-Site`, else by `Origin`.
 * A browser that says nothing is left to the form's token.
 *
 * @param ownOrigin  the address browsers use; null where only the request's own Host tells
 */
export function isFromOurPage(
  headers: { readonly 'sec-fetch-site'?: string | undefined; readonly origin?: string | undefined },
  ownOrigin: string | null,
  host: string,
): boolean {
  const site = headers['sec-fetch-site']
  // `none`: the user himself, for example by reloading.
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (headers.origin === undefined) return true
  return ownOrigin === null ? URL.parse(headers.origin)?.host === host : headers.origin === ownOrigin
}
