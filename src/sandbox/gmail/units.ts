import { overRate } from '../reply.ts'
import type { SandboxState } from '../state.ts'
import type { SandboxReply } from '../types.ts'

/**
 * Units per method, by the table of projects made since May 2026
 * (developers.google.com/workspace/gmail/api/reference/quota, checked 2026-11).
 */
const UNITS: readonly (readonly [call: RegExp, units: number])[] = [
  [/^POST (messages|drafts)\/send$/, 100],
  [/^GET messages\/[^/]+\/attachments\/[^/]+$/, 20],
  [/^GET messages\/[^/]+$/, 20],
  [/^GET messages$/, 5],
  [/^POST messages\/[^/]+\/modify$/, 5],
  [/^POST messages\/[^/]+\/(trash|untrash)$/, 20],
  [/^DELETE messages\/[^/]+$/, 10],
  [/^GET threads\/[^/]+$/, 40],
  [/^GET threads$/, 10],
  [/^POST threads\/[^/]+\/(modify|trash|untrash)$/, 10],
  [/^GET drafts\/[^/]+$/, 20],
  [/^GET drafts$/, 5],
  [/^POST drafts$/, 10],
  [/^PUT drafts\/[^/]+$/, 15],
  [/^DELETE drafts\/[^/]+$/, 10],
  [/^GET labels/, 1],
  [/^(POST|PUT|PATCH|DELETE) labels/, 5],
  [/^GET history$/, 2],
]

const WINDOW_MS = 60_000

/** Counts a Gmail call against the user's quota. @returns the refusal when it is used up */
export function takeUnits(
  state: SandboxState,
  email: string,
  method: string,
  path: string,
): SandboxReply | undefined {
  const call = `${method} ${path}`
  const units = UNITS.find(([pattern]) => pattern.test(call))?.[1] ?? 1
  const spending = state.spent.get(email) ?? { requests: 0, units: 0, recent: [] }
  state.spent.set(email, spending)
  spending.units += units
  const now = Date.now()
  spending.recent = spending.recent.filter(({ atMs }) => atMs > now - WINDOW_MS)
  const taken = spending.recent.reduce((sum, one) => sum + one.units, 0)
  if (state.unitsPerMinute !== undefined && taken + units > state.unitsPerMinute) return overRate()
  spending.recent = [...spending.recent, { atMs: now, units }]
  return undefined
}
