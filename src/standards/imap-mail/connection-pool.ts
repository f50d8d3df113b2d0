import { withDeadline } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { endsSession, toImapError } from '../../protocols/imap/errors.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import type { ImapAccount } from './imap-account.ts'

/** How many connections are kept, and for how long. */
export interface PoolLimits {
  /** Connections of one account, at most */
  readonly perAccount: number
  /** Idle connections of all accounts, at most; the longest idle one is closed first */
  readonly idleInAll: number
  readonly idleMs: number
}

export const DEFAULT_POOL_LIMITS: PoolLimits = { perAccount: 3, idleInAll: 300, idleMs: 90_000 }

/** No request works longer on a connection, whatever its caller's deadline. */
const WORK_TIMEOUT_MS = 120_000

interface Slot {
  readonly session: ImapSession
  timer?: NodeJS.Timeout
}

interface Waiter {
  /** Wakes the waiter: with a free connection, or to open one itself. */
  wake(slot: Slot | undefined): void
}

interface AccountSlots {
  readonly idle: Slot[]
  readonly waiting: Waiter[]
  /** connections that exist or are being opened */
  open: number
  /** lowered when the server refuses one more */
  limit: number
}

/**
 * Warm connections per account. A caller gets one alone, for one piece of work; when the work is aborted or the
 * connection breaks it is closed, never given to the next. Callers wait in line, inside their own deadline.
 */
export class ConnectionPool {
  readonly #limits: PoolLimits
  readonly #accounts = new Map<string, AccountSlots>()
  /** Every idle connection, the longest idle first. */
  readonly #idle = new Map<Slot, string>()
  #closed = false

  constructor(limits: PoolLimits) {
    this.#limits = limits
  }

  /**
   * Runs `work` on a connection. Work only reads, so it is run again, once, when a kept connection turns out to
   * have been closed by the server.
   * @throws ProviderError
   */
  async use<T>(
    account: ImapAccount,
    callerSignal: AbortSignal,
    work: (session: ImapSession) => Promise<T>,
  ): Promise<T> {
    const signal = withDeadline(callerSignal, WORK_TIMEOUT_MS)
    const kept = await this.#acquire(account, signal)
    try {
      return await this.#runOn(account, kept.slot, signal, work)
    } catch (error) {
      if (signal.aborted) throw timedOut(error)
      const failure = toImapError(error)
      const wasCut = failure.kind === 'unavailable' && failure.details.providerBody === undefined
      if (!kept.wasIdle || !wasCut) throw failure
    }
    const fresh = await this.#acquire(account, signal, true)
    try {
      return await this.#runOn(account, fresh.slot, signal, work)
    } catch (error) {
      throw signal.aborted ? timedOut(error) : toImapError(error)
    }
  }

  /**
   * Runs `work` that changes something: never twice. A kept connection is tried with NOOP first, so that one the
   * server has closed meanwhile costs no failure.
   * @throws ProviderError
   */
  async change<T>(
    account: ImapAccount,
    callerSignal: AbortSignal,
    work: (session: ImapSession) => Promise<T>,
  ): Promise<T> {
    const signal = withDeadline(callerSignal, WORK_TIMEOUT_MS)
    const kept = await this.#acquire(account, signal)
    const slot = kept.wasIdle ? await this.#alive(account, kept.slot, signal) : kept.slot
    try {
      return await this.#runOn(account, slot, signal, work)
    } catch (error) {
      throw signal.aborted ? timedOut(error) : toImapError(error)
    }
  }

  /** The slot itself where its connection still answers, else a fresh one in its place. */
  async #alive(account: ImapAccount, slot: Slot, signal: AbortSignal): Promise<Slot> {
    const abort = () => slot.session.close()
    signal.addEventListener('abort', abort, { once: true })
    try {
      await slot.session.noop()
    } catch {
      // what the server said, or that it is gone, no longer matters: the connection is given up
      slot.session.close()
    } finally {
      signal.removeEventListener('abort', abort)
    }
    if (slot.session.usable && !signal.aborted) return slot
    this.#release(account, slot, false)
    return (await this.#acquire(account, signal, true)).slot
  }

  /** Ends every connection. Work in progress fails. */
  async close(): Promise<void> {
    this.#closed = true
    const leaving = [...this.#idle.keys()].map((slot) => leave(slot))
    this.#idle.clear()
    this.#accounts.clear()
    await Promise.all(leaving)
  }

  async #runOn<T>(
    account: ImapAccount,
    slot: Slot,
    signal: AbortSignal,
    work: (session: ImapSession) => Promise<T>,
  ): Promise<T> {
    const abort = () => slot.session.close()
    signal.addEventListener('abort', abort, { once: true })
    let finished = false
    try {
      signal.throwIfAborted()
      const result = await work(slot.session)
      finished = true
      return result
    } catch (error) {
      // A refusal leaves the connection in order; anything else may have left half an answer in it.
      finished = isRefusal(error) && !endsSession(error)
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
      this.#release(account, slot, finished && !signal.aborted)
    }
  }

  async #acquire(account: ImapAccount, signal: AbortSignal, freshOnly = false) {
    if (this.#closed) throw new ProviderError('unavailable', 'The server is shutting down.')
    const slots = this.#slotsOf(account)
    const free = freshOnly ? undefined : this.#takeIdle(slots)
    if (free) return { slot: free, wasIdle: true }
    if (slots.open >= slots.limit) {
      const handed = await waitInLine(slots, signal)
      if (handed) return { slot: handed, wasIdle: true }
    } else {
      slots.open += 1
    }
    return this.#open(account, slots, signal)
  }

  /** Opens a connection for a place that is counted already. */
  async #open(
    account: ImapAccount,
    slots: AccountSlots,
    signal: AbortSignal,
  ): Promise<{ slot: Slot; wasIdle: boolean }> {
    try {
      const session = await account.open(signal)
      const slot: Slot = { session }
      session.once('close', () => this.#dropIdle(slot))
      return { slot, wasIdle: false }
    } catch (error) {
      const others = slots.open - 1
      const isFull = error instanceof ProviderError && ['unavailable', 'rate-limited'].includes(error.kind)
      if (isFull && others > 0) {
        // The server takes no more of this account at once: share those that are there.
        slots.open -= 1
        slots.limit = Math.max(1, others)
        const free = this.#takeIdle(slots)
        if (free) return { slot: free, wasIdle: true }
        const handed = await waitInLine(slots, signal)
        return handed ? { slot: handed, wasIdle: true } : this.#open(account, slots, signal)
      }
      this.#freePlace(account.key, slots)
      throw error
    }
  }

  #release(account: ImapAccount, slot: Slot, isReusable: boolean): void {
    const slots = this.#slotsOf(account)
    if (!isReusable || !slot.session.usable || this.#closed) {
      slot.session.close()
      this.#freePlace(account.key, slots)
      return
    }
    const next = slots.waiting.shift()
    if (next) return next.wake(slot)
    slots.idle.push(slot)
    this.#idle.set(slot, account.key)
    slot.timer = setTimeout(() => this.#dropIdle(slot), this.#limits.idleMs)
    slot.timer.unref()
    const [oldest] = this.#idle.keys()
    if (this.#idle.size > this.#limits.idleInAll && oldest) this.#dropIdle(oldest)
  }

  #takeIdle(slots: AccountSlots): Slot | undefined {
    for (let slot = slots.idle.pop(); slot; slot = slots.idle.pop()) {
      clearTimeout(slot.timer)
      this.#idle.delete(slot)
      if (slot.session.usable) return slot
      slot.session.close()
      slots.open -= 1
    }
    return undefined
  }

  #dropIdle(slot: Slot): void {
    const key = this.#idle.get(slot)
    if (key === undefined) return // in use again, or dropped already
    this.#idle.delete(slot)
    clearTimeout(slot.timer)
    const slots = this.#accounts.get(key)
    const at = slots?.idle.indexOf(slot) ?? -1
    if (slots && at !== -1) {
      slots.idle.splice(at, 1)
      this.#freePlace(key, slots)
    }
    // Nobody waits for the goodbye; `leave` does not reject.
    void leave(slot)
  }

  /** Gives a place up: to the next in line, who opens a connection of its own, or for good. */
  #freePlace(key: string, slots: AccountSlots): void {
    const next = slots.waiting.shift()
    if (next) return next.wake(undefined)
    slots.open -= 1
    if (slots.open <= 0 && this.#accounts.get(key) === slots) this.#accounts.delete(key)
  }

  #slotsOf(account: ImapAccount): AccountSlots {
    const known = this.#accounts.get(account.key)
    if (known) return known
    const slots: AccountSlots = { idle: [], waiting: [], open: 0, limit: this.#limits.perAccount }
    this.#accounts.set(account.key, slots)
    return slots
  }
}

/** Tells whether work failed by a whole answer (a tagged NO or BAD), or by a judgement of our own. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ProviderError) {
    const isAnswer = error.details.providerBody !== undefined
    return isAnswer || !['malformed-response', 'timeout', 'unavailable'].includes(error.kind)
  }
  return typeof error === 'object' && error !== null && 'responseStatus' in error
}

/** Waits until a connection, or the place for one, is free. */
function waitInLine(slots: AccountSlots, signal: AbortSignal): Promise<Slot | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(timedOut(signal.reason))
    const onAbort = () => {
      const at = slots.waiting.indexOf(waiter)
      if (at !== -1) slots.waiting.splice(at, 1)
      reject(timedOut(signal.reason))
    }
    const waiter: Waiter = {
      wake(slot) {
        signal.removeEventListener('abort', onAbort)
        resolve(slot)
      },
    }
    signal.addEventListener('abort', onAbort, { once: true })
    slots.waiting.push(waiter)
  })
}

/** Says goodbye, at most for a second. */
async function leave(slot: Slot): Promise<void> {
  const timer = setTimeout(() => slot.session.close(), 1000)
  await slot.session.logout().catch(() => {
    // the server was gone already
  })
  clearTimeout(timer)
  slot.session.close()
}

function timedOut(cause: unknown): ProviderError {
  if (cause instanceof ProviderError && cause.kind === 'timeout') return cause
  return new ProviderError('timeout', 'The mail server did not answer inside the deadline.', { cause })
}
