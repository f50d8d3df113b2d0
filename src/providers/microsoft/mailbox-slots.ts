import { ProviderError } from '../../kit/provider-error.ts'

/** Graph executes at most 4 requests of an app per mailbox at once (contract/email.md 13.4, checked 2026-11). */
export const SLOTS_PER_MAILBOX = 4

/** Lets requests through so that a mailbox never has more than its slots in use; the others wait in order. */
export interface MailboxSlots {
  /**
   * Runs work that takes `count` slots (a batch takes one per step).
   * @throws ProviderError `timeout` when the signal fires while waiting
   */
  run<T>(mailbox: string, count: number, signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

interface Waiter {
  readonly count: number
  readonly enter: () => void
}

interface Line {
  free: number
  readonly waiting: Waiter[]
}

/** Makes the slots. A mailbox is remembered only while a request of it runs or waits, so the map stays small. */
export function createMailboxSlots(limit: number = SLOTS_PER_MAILBOX): MailboxSlots {
  const lines = new Map<string, Line>()
  return {
    async run(mailbox, count, signal, work) {
      const line = lines.get(mailbox) ?? { free: limit, waiting: [] }
      lines.set(mailbox, line)
      await enter(line, count, signal)
      try {
        return await work()
      } finally {
        line.free += count
        admit(line)
        if (line.free === limit && line.waiting.length === 0) lines.delete(mailbox)
      }
    },
  }
}

function enter(line: Line, count: number, signal: AbortSignal): Promise<void> {
  if (line.waiting.length === 0 && line.free >= count) {
    line.free -= count
    return Promise.resolve()
  }
  return new Promise((resolve, reject) => {
    const leave = () => {
      line.waiting.splice(line.waiting.indexOf(waiter), 1)
      admit(line)
      reject(
        new ProviderError('timeout', 'Other requests of this mailbox took too long.', { answered: true }),
      )
    }
    const waiter: Waiter = {
      count,
      enter: () => {
        signal.removeEventListener('abort', leave)
        resolve()
      },
    }
    line.waiting.push(waiter)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}

/** First come, first served: a batch at the head is not overtaken for ever by single requests. */
function admit(line: Line): void {
  for (let head = line.waiting[0]; head && head.count <= line.free; head = line.waiting[0]) {
    line.waiting.shift()
    line.free -= head.count
    head.enter()
  }
}
