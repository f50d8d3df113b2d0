/** What stands in `Authorization: Basic`. */
export interface BasicCredentials {
  readonly user: string
  readonly password: string
}

const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i

/**
 * Reads HTTP Basic as OAuth clients send it: both parts form-encoded before they are put together (RFC 6749 section
 * 2.3.1). A part that is not, as many clients send it, is taken as it stands.
 *
 * @returns null for anything else
 */
export function readBasic(authorization: string): BasicCredentials | null {
  const [, encoded] = BASIC.exec(authorization) ?? []
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return null
  return { user: formDecoded(text.slice(0, colon)), password: formDecoded(text.slice(colon + 1)) }
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text // a bare % that was never encoded
  }
}
