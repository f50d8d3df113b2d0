import type { Clock } from '../../kit/clock.ts'
import type { RateStore } from '../ports/event-stores.ts'

/** A limit that all processes share: this many in each window of the database's clock. */
export interface Limit {
  readonly name: string
  readonly most: number
  readonly windowMs: number
}

export interface AllowanceDeps {
  readonly rates: Pick<RateStore, 'take'>
  readonly clock: Clock
  /** Hears that the shared window could not be asked. */
  readonly onAway: (error: unknown) => void
}

/** What one process may still spend of one limit for one subject. */
export interface Allowance {
  /** Spends one. @returns 0, or in how many milliseconds it is worth asking again */
  spend(): Promise<number>
  /** Tells without spending for how many milliseconds more nothing is left, as far as this process knows. */
  refusedForMs(): number
}

const SECOND_MS = 1000
/** How long a share of a limit per second is kept. */
const SHARE_MS = 60_000
/** How long what came too late may still be spent: whoever waited for it goes on at once. */
const LATE_MS = 20
const NO_SHARE = { perSecond: 0, isAll: false, endsMs: 0 }
const NO_BLOCK = { left: 0, isLocal: false, endsMs: 0 }

/**
 * Keeps what this process was granted of a limit, so that a request is no write to the database.
 *
 * It asks the shared window for a block (a tenth of the limit) and spends that here; what it doesn't spend is lost with
 * the window, so all processes together never exceed the limit. A refusal is remembered until the window ends: a flood
 * costs no writes. Of a limit per second, who asks once a second would need a block each time. So a fifth of such a
 * limit is lent in shares: a process holds so many per second for a minute, and spends no more than that in any
 * second, wherever it begins. Blocks come of the other four fifths; once those are gone, the shares nobody holds are
 * taken. Both kinds of windows begin at whole seconds of the database, so the sum holds in each second.
 *
 * While the database is away, each process lets pass what the limit says by itself. Requests that need the database fail
 * anyway, and the others should not fail because nobody counts: the limit is there for fairness. What keeps a secret
 * from being guessed is its length.
 */
export function createAllowance(deps: AllowanceDeps, limit: Limit, key: string): Allowance {
  const { rates, clock } = deps
  const lent = limit.windowMs === SECOND_MS ? Math.floor(limit.most / 5) : 0
  const firstShare = Math.max(1, Math.floor(limit.most / 50))
  const blockSize = Math.max(1, Math.floor(limit.most / 10))
  let share = NO_SHARE
  let block = NO_BLOCK
  /** When the share was spent, in the last second. */
  let spentMs: number[] = []
  /** Until when the shared window has no more blocks. */
  let emptyUntilMs = 0
  let seenMs = 0
  let asking: Promise<void> | null = null

  function now(): number {
    const nowMs = clock.nowMs()
    // A clock that was set back would stretch what is held. It is given up; the database has it as spent.
    if (nowMs < seenMs) {
      share = NO_SHARE
      block = NO_BLOCK
      spentMs = []
      emptyUntilMs = 0
    }
    seenMs = nowMs
    return nowMs
  }

  function spendHeld(nowMs: number): boolean {
    if (nowMs < share.endsMs) {
      spentMs = spentMs.filter((at) => at > nowMs - SECOND_MS)
      if (spentMs.length < share.perSecond) {
        spentMs.push(nowMs)
        return true
      }
    }
    if (nowMs >= block.endsMs || block.left === 0) return false
    block = { ...block, left: block.left - 1 }
    return true
  }

  /** Takes of a shared window. Its end is reckoned from before the call: too early rather than too late. */
  async function take(part: string, most: number, windowMs: number, want: number) {
    const beganMs = now()
    const { granted, windowEndsInMs } = await rates.take(key + part, most, windowMs, want)
    const endsMs = beganMs + windowEndsInMs
    const nowMs = now()
    // A database slower than the window would be asked for ever: what it grants always comes too late.
    const isSlow = nowMs - beganMs > windowMs / 2
    return { granted, endsMs: isSlow ? Math.max(endsMs, nowMs + LATE_MS) : endsMs }
  }

  async function takeShare(want: number): Promise<boolean> {
    const { granted, endsMs } = await take(':shares', lent, SHARE_MS, want)
    const held = now() < share.endsMs ? share.perSecond : 0
    share = { perSecond: held + granted, isAll: granted < want, endsMs }
    return granted > 0
  }

  async function ask(): Promise<void> {
    if (lent > 0 && now() >= share.endsMs && (await takeShare(firstShare))) return
    if (now() >= emptyUntilMs) {
      const { granted, endsMs } = await take('', limit.most - lent, limit.windowMs, blockSize)
      block = { left: granted, isLocal: false, endsMs }
      if (granted < blockSize) emptyUntilMs = endsMs
      if (granted > 0) return
    }
    if (lent > 0 && !share.isAll) await takeShare(blockSize)
  }

  /** For how long nothing is to be had, as far as is known. */
  function refusedForMs(nowMs: number): number {
    if (block.isLocal && nowMs < block.endsMs) return block.endsMs - nowMs
    const hasShares = lent > 0 && !(share.isAll && nowMs < share.endsMs)
    return hasShares ? 0 : Math.max(0, emptyUntilMs - nowMs)
  }

  function goAlone(error: unknown): void {
    deps.onAway(error)
    share = NO_SHARE
    block = { left: limit.most, isLocal: true, endsMs: now() + limit.windowMs }
  }

  return {
    async spend() {
      for (;;) {
        const nowMs = now()
        if (spendHeld(nowMs)) return 0
        const waitMs = refusedForMs(nowMs)
        if (waitMs > 0) return waitMs
        asking ??= ask()
          .catch(goAlone)
          .finally(() => {
            asking = null
          })
        await asking
      }
    },
    refusedForMs: () => (block.left > 0 ? 0 : refusedForMs(now())),
  }
}
