/** Joins a caller's signal with a deadline of its own. */
export function withDeadline(signal: AbortSignal | undefined, timeoutMs: number): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMs)
  return signal ? AbortSignal.any([signal, deadline]) : deadline
}

/** A deadline of one call. */
export interface CallDeadline {
  readonly signal: AbortSignal
  /** Takes it back: the timer of a call that has ended would live on for as long as the call might have taken. */
  end(): void
}

/** Joins a caller's signal with a deadline that ends with the call, at less cost than `withDeadline`. */
export function callDeadline(signal: AbortSignal | undefined, timeoutMs: number): CallDeadline {
  const controller = new AbortController()
  const abort = () => controller.abort(signal?.reason)
  const timer = setTimeout(
    () => controller.abort(new DOMException('no answer inside the deadline', 'TimeoutError')),
    timeoutMs,
  )
  timer.unref()
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}

/** A timer this late is due to a pause of the process, not to its load. */
const LATE_MS = 100
const GRACE_MS = 1_000

/**
 * Makes a deadline that a pause of this process does not use up: one that is found to be over afterwards leaves a
 * moment to read what came meanwhile. For calls whose answer must not be lost. However often the process is paused, it
 * never fires before what lies in the sockets has been read once.
 */
export function patientDeadline(timeoutMs: number): AbortSignal {
  const controller = new AbortController()
  const dueMs = performance.now() + timeoutMs
  const abort = () => controller.abort(new DOMException('no answer inside the deadline', 'TimeoutError'))
  // Timers run before sockets are read: right after a pause they are due though an answer is there.
  const abortAfterReading = () => void setImmediate(abort)
  const timer = setTimeout(() => {
    if (performance.now() - dueMs < LATE_MS) abortAfterReading()
    else setTimeout(abortAfterReading, GRACE_MS).unref()
  }, timeoutMs)
  timer.unref()
  return controller.signal
}

/** Whether the work was given up by who asked for it (a client that hung up), not by a deadline. */
export function isGivenUp(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && abortReason(signal).name !== 'TimeoutError'
}

/** Waits, and stops early (rejecting with the signal's reason) when the signal fires. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal))
    const onAbort = () => {
      clearTimeout(timer)
      reject(abortReason(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function abortReason(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('aborted')
}
