import type { JobDeps } from './job-deps.ts'
import type { Loop } from './loop.ts'
import { startPendingExpiry } from './pending-expiry.ts'

export interface Jobs {
  /** Runs everything now, for tests that moved the clock. */
  wake(): void
  stop(): Promise<void>
}

/** Starts all background work of a process. Each loop is harmless in several processes at once. */
export function startJobs(deps: JobDeps): Jobs {
  const loops: readonly Loop[] = [startPendingExpiry(deps)]
  return {
    wake() {
      for (const loop of loops) loop.wake()
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}
