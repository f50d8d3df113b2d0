import { AppError } from '../../kit/app-error.ts'
import { sleep } from '../../kit/deadline.ts'
import type { Logger } from '../../kit/logger.ts'

const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 5_000

/**
 * Stores a provider's answer, and keeps trying while the database is away: a process that lives never drops
 * an answer (design.md section 10). Any other failure is thrown.
 */
export async function storePatiently<T>(log: Logger, what: object, store: () => Promise<T>): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await store()
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 503) throw error
      log.error({ ...what, waitMs, detail: error.extras.detail }, 'grant.answer_waits_for_database')
      await sleep(waitMs)
    }
  }
}

/**
 * Undoes the record of an attempt that was never sent, in the background: whether it was written is not known
 * when the database goes away meanwhile, and while this process lives nobody else would take it over.
 */
export function undoUnsent(log: Logger, what: object, undo: () => Promise<unknown>): void {
  storePatiently(log, what, undo).catch((error: unknown) => {
    log.error({ ...what, err: error }, 'grant.unsent_attempt_stays')
  })
}
