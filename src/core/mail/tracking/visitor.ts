import type { TrackingVisitor } from '../../ports/mail-stores-tracking.ts'
import { networkOfVisitor } from './visitor-network.ts'

/** How much is kept of who opened or clicked: nothing is tracked at all, no person can be told, or all of it. */
export type TrackingMode = 'off' | 'anonymous' | 'full'

const MAX_USER_AGENT = 256

/**
 * Cuts what is kept of a visitor. Anonymous: the address to its /24 or /48, the user agent to names and major versions.
 */
export function keptVisitor(
  mode: TrackingMode,
  { ip, userAgent }: { readonly ip: string; readonly userAgent: string | null },
): TrackingVisitor {
  const agent = userAgent ?? ''
  if (mode === 'full') return { ip, userAgent: agent.slice(0, MAX_USER_AGENT) }
  return { ip: networkOfVisitor(ip), userAgent: coarseUserAgent(agent).slice(0, MAX_USER_AGENT) }
}

/**
 * Leaves names and major versions of a user agent: minor versions, and all of a comment but its first word group
 * (device models stand behind it), tell people apart.
 */
function coarseUserAgent(userAgent: string): string {
  return userAgent
    .replace(/\(([^();]*)[^()]*\)/g, (_all, first: string) => `(${first.trim()})`)
    .replace(/(\d+)(?:[._]\d+)+/g, '$1')
}

/** Services that fetch links and images for somebody who has not opened anything. */
const ROBOTS =
  /bot\b|crawl|spider|slurp|preview|scanner|facebookexternalhit|whatsapp|headless|curl\/|wget\/|python-requests/i

/**
 * Tells whether nobody has looked: the request was announced as a prefetch, or comes from a robot. The image proxies of
 * mail providers (GoogleImageProxy, YahooMailProxy) count: they fetch when the mail is opened (docs/tracking.md).
 *
 * @param purpose  values of `Sec-Purpose`, `Purpose`, `X-Purpose` and `X-Moz`
 */
export function isUnattended(userAgent: string | null, purpose: readonly string[]): boolean {
  return ROBOTS.test(userAgent ?? '') || purpose.some((value) => /prefetch|prerender|preview/i.test(value))
}
