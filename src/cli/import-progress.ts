import type { ImportProgress } from '../app/import/import-grants.ts'
import type { SingleBar } from 'cli-progress'
import type { Context } from './context.ts'

const SAY_EVERY_MS = 5_000
/** The bar is drawn at most this often. */
const DRAWN_PER_SECOND = 8

/** Shows how an import goes on: a bar on a terminal, else a line every few seconds. */
export async function showImportProgress(
  context: Context,
  counts: { readonly rows: number; readonly failed: number },
): Promise<{ readonly update: (progress: ImportProgress) => void; readonly stop: () => void }> {
  // Loaded for a terminal only: no other command pays for it.
  const Bar = context.isTerminal ? (await import('cli-progress')).SingleBar : undefined
  const startedMs = performance.now()
  const rate = () => Math.round((counts.rows * 1000) / Math.max(1, performance.now() - startedMs))
  let bar: SingleBar | undefined
  let saidMs = startedMs
  return {
    update({ bytes, totalBytes }) {
      if (Bar && totalBytes !== null && totalBytes > 0) {
        bar ??= startBar(Bar, totalBytes)
        bar.update(Math.min(bytes, totalBytes), { rows: counts.rows, failed: counts.failed, rate: rate() })
        return
      }
      if (performance.now() - saidMs < SAY_EVERY_MS) return
      saidMs = performance.now()
      context.say(
        `${counts.rows} rows, ${counts.failed} failed, ${rate()} rows/s${timeLeft(bytes, totalBytes)}`,
      )
    },
    stop: () => bar?.stop(),
  }

  function timeLeft(bytes: number, totalBytes: number | null): string {
    if (totalBytes === null || bytes === 0) return ''
    const spentMs = performance.now() - startedMs
    const leftSeconds = Math.round((spentMs * Math.max(0, totalBytes - bytes)) / bytes / 1000)
    return `, ${Math.round((bytes * 100) / totalBytes)} %, ${leftSeconds} s left`
  }
}

function startBar(Bar: typeof SingleBar, totalBytes: number): SingleBar {
  const bar = new Bar({
    format: '{bar} {percentage}% | {rows} rows, {failed} failed | {rate} rows/s | {eta_formatted} left',
    stream: process.stderr,
    fps: DRAWN_PER_SECOND,
    // Batches come unevenly: the time left is judged over many of them.
    etaBuffer: 100,
    hideCursor: true,
  })
  bar.start(totalBytes, 0, { rows: 0, failed: 0, rate: 0 })
  return bar
}
