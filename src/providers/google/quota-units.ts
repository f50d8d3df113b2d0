/**
 * What one call of the Gmail API costs of the user's quota, in units; the higher prices of projects made since
 * May 2026 (contract/email.md 12.4; developers.google.com/workspace/gmail/api/reference/quota, checked 2026-11).
 * threads.list, threads.modify and threads.trash are not confirmed.
 */
const PRICES: readonly (readonly [method: string, path: RegExp, units: number])[] = [
  ['POST', /\/messages\/send$/, 100],
  ['POST', /\/drafts\/send$/, 100],
  ['GET', /\/messages\/[^/]+\/attachments\/[^/]+$/, 20],
  ['GET', /\/messages\/[^/]+$/, 20],
  ['GET', /\/messages$/, 5],
  ['POST', /\/messages\/[^/]+\/modify$/, 5],
  ['POST', /\/messages\/[^/]+\/trash$/, 20],
  ['DELETE', /\/messages\/[^/]+$/, 10],
  ['GET', /\/threads\/[^/]+$/, 40],
  ['GET', /\/threads$/, 10],
  ['POST', /\/threads\/[^/]+\/(modify|trash)$/, 10],
  ['GET', /\/drafts\/[^/]+$/, 20],
  ['GET', /\/drafts$/, 5],
  ['POST', /\/drafts$/, 10],
  ['PUT', /\/drafts\/[^/]+$/, 15],
  ['DELETE', /\/drafts\/[^/]+$/, 10],
  ['GET', /\/labels(\/[^/]+)?$/, 1],
  ['POST', /\/labels$/, 5],
  ['PATCH', /\/labels\/[^/]+$/, 5],
  ['DELETE', /\/labels\/[^/]+$/, 5],
  ['GET', /\/history$/, 2],
]

/** Tells what a call costs; 0 for what is no Gmail call, 1 for a Gmail call without a known price. */
export function unitsOf(method: string, pathname: string): number {
  if (!pathname.includes('/gmail/v1/users/')) return 0
  return PRICES.find(([verb, path]) => verb === method && path.test(pathname))?.[2] ?? 1
}
