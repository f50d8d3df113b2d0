import type { GrantCount } from '../../core/ports/stores.ts'

/** More reasons than these, of the same provider or not, are counted together. */
const MOST_REASONS = 50
/**
 * Words, AADSTS numbers and reply codes. Providers choose these texts, a user's mail server among them: whatever
 * might be an address, a host or an id is not shown.
 */
const SHOWABLE = /^(?:[A-Za-z][A-Za-z_]{0,39}|AADSTS\d{1,9}|\d{3,5})$/

/** An HTTP status, or a word of ours, as a label. A server may answer any number. */
export function statusLabel(status: number | string): string {
  if (typeof status === 'string') return status
  return Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : 'other'
}

/** A count of grants as labels: `reason` is empty for valid ones. */
export interface LabelledCount {
  readonly provider: string
  readonly status: string
  readonly reason: string
  readonly count: number
}

/** Bounds how many reasons there are: the most frequent keep their names, the others are `other`. */
export function boundedReasons(counts: readonly GrantCount[]): readonly LabelledCount[] {
  const totals = new Map<string, number>()
  for (const { reasonCode, count } of counts) {
    if (reasonCode !== null && SHOWABLE.test(reasonCode)) {
      totals.set(reasonCode, (totals.get(reasonCode) ?? 0) + count)
    }
  }
  const kept = new Set(
    [...totals]
      .toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
      .slice(0, MOST_REASONS)
      .map(([reason]) => reason),
  )
  const merged = new Map<string, LabelledCount>()
  for (const { provider, status, reasonCode, count } of counts) {
    const reason = reasonCode === null ? '' : kept.has(reasonCode) ? reasonCode : 'other'
    const key = `${provider} ${status} ${reason}`
    merged.set(key, { provider, status, reason, count: count + (merged.get(key)?.count ?? 0) })
  }
  return [...merged.values()]
}
