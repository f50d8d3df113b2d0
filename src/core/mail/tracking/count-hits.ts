import type { TrackingActivity, TrackingRecent, TrackingVisitor } from '../../ports/mail-stores-tracking.ts'

/** An open or a click that may count. */
export interface Hit {
  readonly id: string
  /** index of the link that was clicked; null for an open */
  readonly link: number | null
  readonly atMs: number
  readonly visitor: TrackingVisitor
}

/** Kept of each kind (contract/email.md 5.4). */
const RECENTS = 50
/** Opens of a message within this time are one (contract/webhooks.md 6). */
const SAME_OPEN_MS = 60_000

const NOTHING: TrackingActivity = {
  opens: 0,
  lastOpenMs: 0,
  clicks: 0,
  links: [],
  recentOpens: [],
  recentClicks: [],
}

/** Counts an open. @returns null where it is the same as the last one */
export function countOpen(before: TrackingActivity | null, hit: Hit): TrackingActivity | null {
  const known = before ?? NOTHING
  if (known.opens > 0 && Math.abs(hit.atMs - known.lastOpenMs) < SAME_OPEN_MS) return null
  return {
    ...known,
    opens: known.opens + 1,
    lastOpenMs: hit.atMs,
    recentOpens: [...known.recentOpens, recentOf(hit, known.opens)].slice(-RECENTS),
  }
}

/** Counts a click. @param link  where several have the same address, the first of them */
export function countClick(before: TrackingActivity | null, hit: Hit, link: number): TrackingActivity {
  const known = before ?? NOTHING
  const at = known.links.findIndex((counted) => counted.link === link)
  const position = at === -1 ? known.links.length : at
  const count = (known.links[position]?.count ?? 0) + 1
  const recent = { ...recentOf(hit, known.clicks), position }
  return {
    ...known,
    clicks: known.clicks + 1,
    links: [...known.links.slice(0, position), { link, count }, ...known.links.slice(position + 1)],
    recentClicks: [...known.recentClicks, recent].slice(-RECENTS),
  }
}

function recentOf({ visitor, atMs }: Hit, id: number): TrackingRecent {
  return { ...visitor, id, at: Math.floor(atMs / 1000) }
}
