import { AppError } from '../../kit/app-error.ts'
import { auditOperator } from '../applications/audit-write.ts'
import type { StoredDataKey } from '../ports/records.ts'
import { SEALED_TABLES } from '../ports/sealed.ts'
import type { Vault } from '../ports/vault.ts'
import { EncryptionKeyError, newKey, unwrap, unwrapAll, wrap } from './data-keys.ts'
import type { KeyRing, KeyRingDeps } from './key-ring.ts'
import { reseal } from './reseal.ts'
import type { RotationState, RotationStep } from './rotation-state.ts'

/** Key rotation in small steps, so that each can be a request of its own (docs/decisions/0018). */
export interface KeyRotation {
  /** id of the operator key that everything is wrapped under */
  readonly under: string
  /**
   * Makes a new data key and the first step under it, or goes on with a rotation that was not finished. All data keys
   * are wrapped under the first operator key.
   * @throws EncryptionKeyError before anything is written, when one of the data keys can't be unwrapped
   */
  begin(actor: Actor): Promise<RotationStep>
  /** Goes on with an unfinished rotation whose new key is at least that old. @returns null when there is none */
  resume(olderThanMs: number): Promise<RotationStep | null>
  /** Does the next bounded piece of work. Any step may be done again, by any process. */
  step(state: RotationState, actor: Actor): Promise<RotationStep>
  /**
   * Wraps all data keys under the first operator key, in one transaction. Idempotent.
   * @throws EncryptionKeyError when one of them can't be unwrapped; nothing is changed
   */
  rewrap(actor: Actor): Promise<{ readonly rewrapped: number; readonly under: string }>
}

type Actor = 'cli' | 'system'

/** A walk over all rows that begins. */
const AT_THE_START = { table: 0, after: '', seen: 0, left: 0, unreadable: [] }
/** Batches of a step: a fraction of a second of work. */
const BATCHES = 5
const AGAIN_MS = 1_000
/** Refusals in a row (a writer that does not end, a database that is away) until a rotation gives up. */
const MOST_TROUBLES = 60

/**
 * @param deps.takeUpMs  how long a process may go on sealing under the key before: it reads the keys every few seconds
 */
export function createKeyRotation(
  deps: KeyRingDeps & { readonly vault: Vault; readonly ring: KeyRing; readonly takeUpMs: number },
): KeyRotation {
  const { database, operatorKeys, ring } = deps
  const { dataKeys, sealed } = database.stores

  /** The seal keys, the newest last. */
  async function sealKeys(): Promise<readonly StoredDataKey[]> {
    return (await dataKeys.list()).filter(({ purpose }) => purpose === 'seal')
  }

  function firstOperatorKey() {
    const [first] = operatorKeys
    if (!first) throw new EncryptionKeyError('No encryption key is configured.')
    return first
  }

  /** What it takes to wrap all of them anew, worked out before anything is written. */
  function rewrappings(stored: readonly StoredDataKey[]) {
    const first = firstOperatorKey()
    return stored
      .filter(({ wrappedBy }) => wrappedBy !== first.id)
      .map((record) => ({
        id: record.id,
        before: record.wrapped,
        after: wrap(record, unwrap(record, operatorKeys), first),
      }))
  }

  async function state(isResumed: boolean): Promise<RotationStep | null> {
    await ring.reload()
    const stored = await sealKeys()
    const older = stored.slice(0, -1)
    const newest = stored.at(-1)
    if (!newest || older.length === 0) return null
    if (ring.current.id !== newest.id) {
      throw new EncryptionKeyError(
        `The new data key is wrapped under the encryption key "${newest.wrappedBy}", which this process was started ` +
          'without. Add it to GRANTWAY_ENCRYPTION_KEYS.',
      )
    }
    const counts = await Promise.all(SEALED_TABLES.map((table) => sealed.count(table)))
    return {
      kind: 'more',
      waitMs: 0,
      state: {
        key: newest.id,
        closing: older.map(({ id }) => id),
        isResumed,
        // Under closed keys nothing new can appear: one walk is enough.
        phase: older.every(({ isClosed }) => isClosed) ? 'sweep' : 'reseal',
        rows: counts.reduce((sum, count) => sum + count, 0),
        resealed: 0,
        troubles: 0,
        ...AT_THE_START,
      },
    }
  }

  async function walk(before: RotationState): Promise<RotationState> {
    let now = before
    for (let batch = 0; batch < BATCHES; batch++) {
      const table = SEALED_TABLES[now.table]
      if (!table) return now
      now = await reseal({ sealed, vault: deps.vault }, table, now)
      // Lets requests in: on the embedded database nothing above has waited for anything outside this process.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return now
  }

  async function close(now: RotationState): Promise<RotationStep> {
    const newest = (await sealKeys()).at(-1)
    const ageMs = newest?.id === now.key ? newest.ageMs : deps.takeUpMs
    if (ageMs < deps.takeUpMs) {
      return { kind: 'more', state: now, waitMs: Math.min(AGAIN_MS, deps.takeUpMs - ageMs) }
    }
    await dataKeys.close(now.closing)
    return { kind: 'more', state: { ...now, phase: 'sweep', ...AT_THE_START }, waitMs: 0 }
  }

  async function finish(now: RotationState, actor: Actor): Promise<RotationStep> {
    const { key, resealed, unreadable } = now
    const done = { kind: 'done', key, resealed, unreadable, isResumed: now.isResumed } as const
    // Their key is kept: whatever made them unreadable may be mended from a backup.
    if (unreadable.length > 0) return { ...done, deleted: [] }
    await database.transaction(async (stores) => {
      if ((await stores.dataKeys.destroy(now.closing)) === 0) return
      const detail = { resealed, deleted: now.closing }
      await auditOperator(stores, deps, actor, 'keys.rotated', `data_key:${key}`, detail)
    })
    return { ...done, deleted: now.closing }
  }

  async function next(before: RotationState, actor: Actor): Promise<RotationStep> {
    await ring.reload()
    if (before.phase === 'close') return close(before)
    const now = await walk(before)
    if (now.table < SEALED_TABLES.length) return { kind: 'more', state: now, waitMs: 0 }
    if (now.phase === 'reseal') return { kind: 'more', state: { ...now, phase: 'close' }, waitMs: 0 }
    if (now.left === 0) return finish(now, actor)
    // Somebody was changing those rows: walk once more.
    return { kind: 'more', state: { ...now, ...AT_THE_START }, waitMs: AGAIN_MS }
  }

  return {
    under: firstOperatorKey().id,
    async begin(actor) {
      const stored = await dataKeys.list()
      unwrapAll(stored, operatorKeys)
      const seals = stored.filter(({ purpose }) => purpose === 'seal')
      const isResumed = seals.length > 1
      if (!isResumed) {
        const changes = rewrappings(stored)
        const made = newKey('seal', (seals.at(-1)?.generation ?? 0) + 1, firstOperatorKey(), deps)
        await database.transaction(async (stores) => {
          for (const { id, before, after } of changes) await stores.dataKeys.rewrap(id, before, after)
          // Not inserted: another rotation has just begun, and this one joins it.
          if (!(await stores.dataKeys.insert(made))) return
          await auditOperator(stores, deps, actor, 'keys.rotation_started', `data_key:${made.id}`)
        })
      }
      const begun = await state(isResumed)
      if (begun) return begun
      // The other process has finished already.
      const key = (await sealKeys()).at(-1)?.id ?? ''
      return { kind: 'done', key, resealed: 0, deleted: [], unreadable: [], isResumed: true }
    },
    async resume(olderThanMs) {
      const stored = await sealKeys()
      return stored.length > 1 && (stored.at(-1)?.ageMs ?? 0) >= olderThanMs ? state(true) : null
    },
    async step(before, actor) {
      try {
        return await next({ ...before, troubles: 0 }, actor)
      } catch (error) {
        if (!(error instanceof AppError) || error.status !== 503 || before.troubles >= MOST_TROUBLES)
          throw error
        deps.log.warn({ detail: error.extras.detail }, 'keys.rotation_waits')
        return { kind: 'more', state: { ...before, troubles: before.troubles + 1 }, waitMs: AGAIN_MS }
      }
    },
    async rewrap(actor) {
      const stored = await dataKeys.list()
      const changes = rewrappings(stored)
      unwrapAll(stored, operatorKeys)
      const under = firstOperatorKey().id
      const rewrapped = await database.transaction(async (stores) => {
        let count = 0
        for (const { id, before, after } of changes) {
          if (await stores.dataKeys.rewrap(id, before, after)) count += 1
        }
        if (count === 0) return 0
        await auditOperator(stores, deps, actor, 'keys.rewrapped', `encryption_key:${under}`, { count })
        return count
      })
      return { rewrapped, under }
    },
  }
}
