import type { CallbackUriRecord } from '../ports/records.ts'
import type { HostedStep } from '../ports/oauth-services.ts'
import type { HostedRequest } from './hosted-request.ts'
import type { Refusal } from './refusal.ts'

/** RFC 8252 section 7.3: an app on a desktop listens on whatever port is free. `localhost` is not among them (8.3). */
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::\d{1,5})?([/?].*)?$/

const ERROR_URI = 'https://datatracker.ietf.org/doc/html/rfc6749#section-4.1.2.1'

/**
 * Tells whether a browser may be sent to this address: a registered one, byte for byte; for the platform `desktop` a
 * registered loopback address with any port.
 */
export function isRegistered(redirectUri: string, registered: readonly CallbackUriRecord[]): boolean {
  return registered.some(
    ({ url, platform }) =>
      url === redirectUri || (platform === 'desktop' && isSameLoopback(url, redirectUri)),
  )
}

function isSameLoopback(registered: string, given: string): boolean {
  const [, host, rest = ''] = LOOPBACK.exec(registered) ?? []
  const [, givenHost, givenRest = ''] = LOOPBACK.exec(given) ?? []
  // The port must be one: a browser that can't read the address might do anything with it.
  return host !== undefined && host === givenHost && rest === givenRest && URL.canParse(given)
}

/** Where an answer goes: the checked address and state of the request. */
export type ReturnAddress = Pick<HostedRequest, 'redirectUri' | 'state'>

/** Back to the application with what it asked for. */
export function redirectBack(to: ReturnAddress, answer: { readonly [name: string]: string }): HostedStep {
  const pairs = new URLSearchParams({ ...answer, ...(to.state === null ? {} : { state: to.state }) })
  // %20, not +: not every app reads its deep links as a form.
  const query = pairs.toString().replaceAll('+', '%20')
  return { kind: 'redirect', url: `${to.redirectUri}${separator(to.redirectUri)}${query}` }
}

/** Back to the application with the reason why not. */
export function redirectRefused(to: ReturnAddress, { error, description, code }: Refusal): HostedStep {
  return redirectBack(to, {
    error,
    error_description: description,
    error_code: String(code),
    error_uri: ERROR_URI,
  })
}

/** The application's own query string stays as it is. */
function separator(uri: string): string {
  if (!uri.includes('?')) return '?'
  return /[?&]$/.test(uri) ? '' : '&'
}
