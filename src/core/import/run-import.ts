import type { RawRow, RowResult } from '../ports/import.ts'

/** Sums over all rows so far. */
export interface ImportCounts {
  rows: number
  created: number
  updated: number
  skipped: number
  failed: number
}

export function noCounts(): ImportCounts {
  return { rows: 0, created: 0, updated: 0, skipped: 0, failed: 0 }
}

/** While one batch is written, the next one is read and looked up. */
const BATCHES_AT_ONCE = 2

/**
 * Imports batch after batch, in order, two under way at a time.
 *
 * @param counts  summed up as the batches are done, so that it tells how far an import got that fails
 * @param signal  ends it after the batches under way
 */
export async function runImport(
  batches: AsyncIterable<readonly RawRow[]>,
  importBatch: (rows: readonly RawRow[]) => Promise<readonly RowResult[]>,
  counts: ImportCounts,
  onResults: (results: readonly RowResult[]) => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const underWay: Promise<readonly RowResult[]>[] = []
  const settleOldest = async () => {
    const results = (await underWay.shift()) ?? []
    for (const { outcome } of results) {
      counts.rows += 1
      counts[outcome] += 1
    }
    await onResults(results)
  }
  try {
    for await (const batch of batches) {
      if (signal.aborted) break
      if (underWay.length >= BATCHES_AT_ONCE) await settleOldest()
      const importing = importBatch(batch)
      importing.catch(() => undefined) // awaited in its turn, which may be after it failed
      underWay.push(importing)
    }
    while (underWay.length > 0) await settleOldest()
  } finally {
    // After a failure nothing of this import may go on behind the caller's back.
    await Promise.allSettled(underWay)
  }
}
