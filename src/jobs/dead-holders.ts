import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 5_000

/**
 * Makes due at once what dead processes hold: without it a job waits for the end of its lease.
 *
 * @param onReleased  called when there is something to claim
 */
export function startDeadHolders({ database, log }: JobDeps, onReleased: () => void): Loop {
  return startLoop({
    name: 'dead-holders',
    log,
    everyMs: EVERY_MS,
    async run(signal) {
      const { stores, liveness } = database
      for (const holder of await stores.jobs.leaseHolders()) {
        if (signal.aborted) return false
        if (await liveness.isAlive(holder)) continue
        const released = await stores.jobs.releaseHolder(holder)
        if (released === 0) continue
        log.info({ holder, released }, 'jobs.released')
        onReleased()
      }
      return false
    },
  })
}
