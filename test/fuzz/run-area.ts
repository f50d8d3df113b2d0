import fc from 'fast-check'
import type { FuzzArea } from './areas.ts'

/**
 * Feeds an area for some seconds. @returns how many inputs it took
 * @throws the smallest input found that fails, with the seed that finds it again
 */
export async function runArea({ property }: FuzzArea, seconds: number, seed: number): Promise<number> {
  let unhandled: unknown
  const note = (reason: unknown) => {
    unhandled ??= reason
  }
  process.on('unhandledRejection', note)
  try {
    const run = await fc.check(property(), {
      seed,
      numRuns: 10_000_000,
      interruptAfterTimeLimit: seconds * 1000,
      markInterruptAsFailure: false,
    })
    if (run.failed) throw new Error(fc.defaultReportMessage(run) ?? 'failed', { cause: run.errorInstance })
    if (unhandled !== undefined)
      throw new Error(`seed ${seed}: a rejection nobody handled`, { cause: unhandled })
    return run.numRuns
  } finally {
    process.off('unhandledRejection', note)
  }
}
