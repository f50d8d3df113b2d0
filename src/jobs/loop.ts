import type { Logger } from '../kit/logger.ts'

export interface Loop {
  /** Runs it now instead of at its next turn; while it runs, once more right after. */
  wake(): void
  /** Fires the signal of the work under way and waits for it. */
  stop(): Promise<void>
}

/**
 * Runs background work again and again: at once, then `everyMs` after each run has ended, or right after one that
 * says there is more to do. A failure is logged and the next turn tries again: one broken run never ends the work.
 *
 * @param options.everyMs  up to a tenth more, so that many processes don't run in step
 * @param options.run      resolves to true when there is more to do at once
 */
export function startLoop(options: {
  readonly name: string
  readonly log: Logger
  readonly everyMs: number
  readonly run: (signal: AbortSignal) => Promise<boolean>
}): Loop {
  const { name, log, everyMs, run } = options
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null
  let again = false

  const turn = () => {
    clearTimeout(timer)
    again = false
    running = runOnce().then((more) => {
      running = null
      if (stopping.signal.aborted) return
      if (more || again) timer = setTimeout(turn, 0)
      else later()
    })
  }
  const later = () => {
    timer = setTimeout(turn, everyMs * (1 + Math.random() / 10))
    timer.unref()
  }
  async function runOnce(): Promise<boolean> {
    try {
      return await run(stopping.signal)
    } catch (error) {
      if (!stopping.signal.aborted) log.warn({ job: name, err: error }, 'job.failed')
      return false
    }
  }

  turn()
  return {
    wake() {
      if (stopping.signal.aborted) return
      if (running) again = true
      else turn()
    },
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await running
    },
  }
}
