import type { Clock } from '../../kit/clock.ts'
import { sleep } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'

const WINDOW_MS = 60_000
const SLOT_MS = 1000
/** The longest wait: a request has a minute and a half, and needs the rest for its calls. */
const LONGEST_WAIT_MS = 40_000
/** A longer wait that Google asks for is told to the client instead of being kept for every request. */
const LONGEST_PAUSE_SECONDS = 60

/** Lets calls through so that a grant stays inside Gmail's quota; the others wait in order. */
export interface UnitBudget {
  /**
   * Takes units as soon as they are free, after whoever came before.
   *
   * @param startedMs  when the operation began: what it has waited for already counts
   * @throws ProviderError `rate-limited` with the time left: at once when the wait would be too long, else when the
   *         signal fires
   */
  take(grant: string, units: number, startedMs: number, signal: AbortSignal): Promise<void>
  /** Google asked this grant to wait: nobody of it asks before that. Waits over a minute are not kept. */
  pause(grant: string, seconds: number): void
}

interface Slot {
  /** of its second, in ms; in the future for those that wait */
  readonly startMs: number
  units: number
}

interface Account {
  /** Oldest first. */
  readonly slots: Slot[]
  pausedUntilMs: number
}

/**
 * Makes the budget of all grants in this process: no more than `unitsPerMinute` in any minute. Each call is given its
 * place when it asks, so nobody is overtaken, and a wait that is too long is known at once. A grant is forgotten a
 * minute after its last call.
 *
 * @param wait  how to wait; tests give their own
 */
export function createUnitBudget(
  clock: Clock,
  unitsPerMinute: number,
  wait: (ms: number, signal: AbortSignal) => Promise<void> = sleep,
): UnitBudget {
  const accounts = new Map<string, Account>()
  let sweptMs = clock.nowMs()
  const accountOf = (grant: string): Account => {
    const known = accounts.get(grant)
    if (known) return known
    const made: Account = { slots: [], pausedUntilMs: 0 }
    accounts.set(grant, made)
    return made
  }
  const sweep = (nowMs: number) => {
    if (nowMs - sweptMs < WINDOW_MS) return
    sweptMs = nowMs
    for (const [grant, account] of accounts) {
      forget(account, nowMs)
      if (account.slots.length === 0 && account.pausedUntilMs <= nowMs) accounts.delete(grant)
    }
  }
  return {
    async take(grant, units, startedMs, signal) {
      if (units <= 0) return
      const askedMs = clock.nowMs()
      sweep(askedMs)
      const account = accountOf(grant)
      forget(account, askedMs)
      // A call that costs more than a whole minute would wait for ever.
      const cost = Math.min(units, unitsPerMinute)
      let dueMs = placeOf(account, cost, unitsPerMinute, askedMs)
      if (dueMs > askedMs && dueMs - startedMs > LONGEST_WAIT_MS) throw overBudget(dueMs - askedMs)
      const slot = reserve(account, cost, dueMs)
      for (let nowMs = askedMs; dueMs > nowMs; nowMs = clock.nowMs()) {
        const leftMs = dueMs - nowMs
        try {
          if (dueMs - startedMs > LONGEST_WAIT_MS) throw overBudget(leftMs)
          await wait(leftMs, signal)
        } catch {
          slot.units -= cost
          throw overBudget(leftMs)
        }
        // A pause that was asked for meanwhile holds for those that wait, too.
        dueMs = Math.max(dueMs, account.pausedUntilMs)
      }
    },
    pause(grant, seconds) {
      if (seconds <= 0 || seconds > LONGEST_PAUSE_SECONDS) return
      const account = accountOf(grant)
      account.pausedUntilMs = Math.max(account.pausedUntilMs, clock.nowMs() + seconds * 1000)
    },
  }
}

function forget(account: Account, nowMs: number): void {
  while (account.slots[0] && endOf(account.slots[0]) <= nowMs) account.slots.shift()
}

/** When a slot's units are free again. */
function endOf(slot: Slot): number {
  return slot.startMs + SLOT_MS + WINDOW_MS
}

/** The first time, not before the last in line, at which that many units are free. */
function placeOf(account: Account, units: number, limit: number, nowMs: number): number {
  const afterMs = Math.max(nowMs, account.pausedUntilMs, account.slots.at(-1)?.startMs ?? 0)
  let over = account.slots.reduce((sum, slot) => sum + slot.units, 0) + units - limit
  let freeMs = 0
  for (const slot of account.slots) {
    if (over <= 0) break
    over -= slot.units
    freeMs = endOf(slot)
  }
  return Math.max(afterMs, freeMs)
}

function reserve(account: Account, units: number, dueMs: number): Slot {
  const startMs = Math.floor(dueMs / SLOT_MS) * SLOT_MS
  const last = account.slots.at(-1)
  if (last && last.startMs >= startMs) {
    last.units += units
    return last
  }
  const made: Slot = { startMs, units }
  account.slots.push(made)
  return made
}

function overBudget(leftMs: number): ProviderError {
  const message = "The account's Gmail quota for this minute is used up."
  return new ProviderError('rate-limited', message, {
    answered: true,
    retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)),
    providerCode: 'rateLimitExceeded',
    providerBody: { code: 429, message, status: 'RESOURCE_EXHAUSTED' },
  })
}
