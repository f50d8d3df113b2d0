import { Worker } from 'node:worker_threads'
import { appError } from '../../../contract/errors.ts'
import { type ConversationOptions, conversationOf, MAX_BODY } from '../../../formats/html/conversation.ts'
import type { CleanTask } from './clean-worker.ts'

/** Writes conversations (formats/html) without holding up anybody else's request. */
export interface CleanPool {
  /**
   * Writes the newest part of a mail, the body of a long one in another thread.
   * @param tenant  whose it is: a tenant has one thread at a time, and its bodies wait for one another
   * @throws AppError 422 `clean.too_complex`, 429 when too many of the tenant wait; what the signal was fired with
   */
  conversationOf(
    tenant: string,
    body: string,
    options: ConversationOptions,
    signal: AbortSignal,
  ): Promise<string>
  /** Ends the threads; what waits fails. */
  close(): Promise<void>
}

/**
 * Shorter bodies are written at once: the worst of them take a few milliseconds, about what is lost on the way to
 * another thread.
 */
const INLINE_CHARS = 4 * 1024
/** One stays free for the others when a tenant's bodies are hard. */
const THREADS = 2
/** The hardest body that was found takes about a second. */
const DEADLINE_MS = 10_000
const MOST_WAITING_OF_TENANT = 50
const MOST_WAITING = 500
/** A thread with its libraries holds some 20 MB. */
const IDLE_MS = 10_000
const START_MS = 30_000
const MAX_HEAP_MB = 256
const RETRY_AFTER_SECONDS = 2

interface Job {
  readonly tenant: string
  readonly task: CleanTask
  readonly settle: (text: string | Error) => void
}

interface Thread {
  readonly worker: Worker
  /** Gets its work only then: what a start takes is not the mail's fault. */
  isReady: boolean
  job: Job | null
  timer: NodeJS.Timeout | undefined
}

/** Makes the pool; threads are started when they are needed. */
export function createCleanPool({
  program = ownProgram(),
  deadlineMs = DEADLINE_MS,
}: {
  /** what the threads run */
  readonly program?: URL
  readonly deadlineMs?: number
} = {}): CleanPool {
  const threads = new Set<Thread>()
  /** In the order in which they came; whose turn it is, is looked for. */
  let waiting: readonly Job[] = []
  let closed = false

  function begin(): void {
    const busy = new Set([...threads].flatMap(({ job }) => job?.tenant ?? []))
    const next = waiting.find(({ tenant }) => !busy.has(tenant))
    if (!next) return
    const free = [...threads].find(({ job }) => job === null)
    if (!free && threads.size >= THREADS) return
    // The tenant's others go behind those of everybody else.
    const rest = waiting.filter((job) => job !== next)
    waiting = [
      ...rest.filter(({ tenant }) => tenant !== next.tenant),
      ...rest.filter(({ tenant }) => tenant === next.tenant),
    ]
    give(free ?? start(), next)
    begin()
  }

  function give(thread: Thread, job: Job): void {
    thread.job = job
    if (thread.isReady) post(thread, job)
  }

  function post(thread: Thread, { task }: Job): void {
    endIn(thread, deadlineMs)
    thread.worker.postMessage(task)
  }

  function endIn(thread: Thread, ms: number): void {
    clearTimeout(thread.timer)
    thread.timer = setTimeout(() => void end(thread, tooComplex()), ms)
    thread.timer.unref()
  }

  function start(): Thread {
    const worker = new Worker(program, {
      // Nothing of this process is for a thread that reads strangers' HTML.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    })
    const thread: Thread = { worker, isReady: false, job: null, timer: undefined }
    threads.add(thread)
    endIn(thread, START_MS)
    worker.unref()
    worker.on('message', (text: unknown) => {
      const { job } = thread
      if (!thread.isReady) {
        thread.isReady = true
        if (job) post(thread, job)
        return
      }
      thread.job = null
      endIn(thread, IDLE_MS)
      job?.settle(typeof text === 'string' ? text : tooComplex())
      begin()
    })
    // Out of memory or of stack: as little to be done about as about one that takes too long.
    worker.on('error', () => void end(thread, tooComplex()))
    worker.on('exit', () => void end(thread, tooComplex()))
    return thread
  }

  /** Ends a thread; its work, if it had some, has failed. */
  async function end(thread: Thread, error: Error): Promise<void> {
    clearTimeout(thread.timer)
    const isKnown = threads.delete(thread)
    const { job } = thread
    thread.job = null
    job?.settle(error)
    const ended = thread.worker.terminate()
    if (isKnown && !closed) begin()
    await ended
  }

  function enter(tenant: string, task: CleanTask, signal: AbortSignal): Promise<string> {
    const ofTenant = waiting.filter((job) => job.tenant === tenant).length
    if (ofTenant >= MOST_WAITING_OF_TENANT || waiting.length >= MOST_WAITING) {
      throw appError('api.rate_limit_error', 'Too many long messages are being cleaned.', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      })
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        waiting = waiting.filter((other) => other !== job)
        job.settle(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      }
      const job: Job = {
        tenant,
        task,
        settle(text) {
          signal.removeEventListener('abort', giveUp)
          if (typeof text === 'string') resolve(text)
          else reject(text)
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      waiting = [...waiting, job]
      begin()
    })
  }

  return {
    async conversationOf(tenant, body, options, signal) {
      signal.throwIfAborted()
      if (body.length <= INLINE_CHARS) return conversationOf(body, options)
      if (closed) throw appError('api.unavailable')
      return await enter(tenant, { body: body.slice(0, MAX_BODY), options }, signal)
    },
    async close() {
      closed = true
      for (const { settle } of waiting) settle(appError('api.unavailable'))
      waiting = []
      await Promise.all([...threads].map((thread) => end(thread, appError('api.unavailable'))))
    },
  }
}

/** The program beside this file, in the sources as in the build. */
function ownProgram(): URL {
  return new URL(`./clean-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}

function tooComplex() {
  return appError('clean.too_complex')
}
