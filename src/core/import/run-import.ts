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
 * @param signal  ends it after the batches under way, also while the next one is still to come
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
  const reading = batches[Symbol.asyncIterator]()
  try {
    for (;;) {
      const batch = await nextUnlessAborted(reading, signal)
      if (!batch) break
      if (underWay.length >= BATCHES_AT_ONCE) await settleOldest()
      const importing = importBatch(batch)
      importing.catch(() => undefined) // awaited in its turn, which may be after it failed
      underWay.push(importing)
    }
    while (underWay.length > 0) await settleOldest()
  } finally {
    // What waits for bytes that never come ends when its input is closed.
    reading.return?.().catch(() => undefined)
    // After a failure nothing of this import may go on behind the caller's back.
    await Promise.allSettled(underWay)
  }
}

/** @returns null at the end, and once the signal has fired: the input may be silent for ever */
function nextUnlessAborted<T>(reading: AsyncIterator<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      resolve(null)
      return
    }
    const stop = () => resolve(null)
    signal.addEventListener('abort', stop, { once: true })
    const settled = () => signal.removeEventListener('abort', stop)
    reading.next().then(
      ({ value, done }) => {
        settled()
        resolve(done ? null : value)
      },
      (error: unknown) => {
        settled()
        reject(error)
      },
    )
  })
}
