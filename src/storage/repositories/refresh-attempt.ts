import type { RefreshAttempt } from '../../core/ports/records.ts'

/** Reads the attempt that a row carries; null when none is open. */
export function readAttempt(row: {
  readonly attempt_id: string | null
  readonly attempt_holder: string | null
  readonly attempt_started_at_ms: number | null
}): RefreshAttempt | null {
  const { attempt_id: id, attempt_holder: holder, attempt_started_at_ms: startedAtMs } = row
  return id === null || holder === null || startedAtMs === null ? null : { id, holder, startedAtMs }
}
