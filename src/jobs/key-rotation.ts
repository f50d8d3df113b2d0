import { sleep } from '../kit/deadline.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 5 * 60 * 1000
/** A rotation whose command still runs is left to it. */
const ABANDONED_MS = 10 * 60 * 1000
/** One process of the installation at a time has a go. */
const TURN_MS = 60 * 60 * 1000
/** Between two steps: the rest of the time belongs to requests. */
const REST_MS = 200

/**
 * Finishes a key rotation whose command was interrupted, and seals values anew after a data key that was replaced
 * because it had sealed enough. Idempotent, and harmless in several processes at once.
 */
export function startKeyRotation({ keyRotation, database, log }: JobDeps): Loop {
  return startLoop({
    name: 'key-rotation',
    log,
    everyMs: EVERY_MS,
    async run(signal) {
      let step = await keyRotation.resume(ABANDONED_MS)
      if (!step) return false
      const turn = await database.stores.rates.take('keys.rotation', 1, TURN_MS, 1)
      if (turn.granted === 0) return false
      while (step.kind === 'more') {
        await sleep(Math.max(step.waitMs, REST_MS), signal)
        step = await keyRotation.step(step.state, 'system')
      }
      const { key, resealed, unreadable } = step
      if (unreadable.length > 0) log.error({ key, unreadable }, 'keys.unreadable_values')
      else log.info({ key, resealed }, 'keys.rotated')
      return false
    },
  })
}
