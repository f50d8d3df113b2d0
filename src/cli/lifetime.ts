/** `stop()` may take this long before the process ends anyway: requests in flight have 10 s. */
const STOP_DEADLINE_MS = 12_000

/**
 * npm forwards the signal that a terminal or a supervisor has already sent to the whole process group, so one
 * Ctrl-C arrives twice. What comes this soon after the first is the same one.
 */
const SAME_SIGNAL_MS = 200

export interface Lifetime {
  /** Fires at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly ended: Promise<void>
  /** Leaves signals to Node's own handling again. */
  readonly release: () => void
}

/** Watches for the signals that end the process. A second one ends it at once, with code 1. */
export function watchSignals(): Lifetime {
  const controller = new AbortController()
  let firstAtMs: number | undefined
  const onSignal = () => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now()
      controller.abort()
    } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) {
      process.exit(1)
    }
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const { signal } = controller
  const ended = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const release = () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  return { signal, ended, release }
}

/** Stops what was started and ends the process with `code`, also when something keeps it alive. */
export async function stopAndExit(stop: () => Promise<void>, code: number): Promise<never> {
  const timer = setTimeout(() => {
    process.stderr.write('grantway: stopping took too long\n')
    process.exit(1)
  }, STOP_DEADLINE_MS)
  await stop()
  clearTimeout(timer)
  process.exit(code)
}
