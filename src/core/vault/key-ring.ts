import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { SingleFlight } from '../../kit/single-flight.ts'
import type { Database } from '../ports/stores.ts'
import type { StoredDataKey } from '../ports/records.ts'
import { auditOperator } from '../applications/audit-write.ts'
import {
  type DataKeys,
  EncryptionKeyError,
  loadDataKeys,
  newKey,
  type OperatorKey,
  unwrap,
} from './data-keys.ts'
import type { VaultKeys } from './vault.ts'

export interface KeyRingDeps {
  readonly database: Database
  /** the first wraps new data keys, all of them open */
  readonly operatorKeys: readonly OperatorKey[]
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

/** The data keys of this process, kept up with those of the database. */
export interface KeyRing extends VaultKeys {
  /**
   * Reads the keys again, as they are after this call: one that is under way may have missed a new key, so callers
   * share the next. A key that was known once stays known.
   */
  reload(): Promise<void>
  countSeal(): void
  /** Reads the keys again, notes how often they sealed, and makes the next one in time. Run it every few seconds. */
  keepUp(): Promise<void>
  /** Notes the seals that were counted since. */
  flush(): Promise<void>
}

/**
 * A data key may seal 2^30 values: with random 96-bit nonces the chance that any two are equal is then 2^-37 (NIST
 * SP 800-38D, section 8.3, allows 2^32). The next key is made at half of it, for counts that died with a process.
 */
const SEALS_OF_A_KEY = 2 ** 29
const FLUSH_AT = 10_000
const RELOAD_BOUND_MS = 15_000

/**
 * Loads the data keys, or makes the first ones.
 * @throws EncryptionKeyError before anything is written, when the operator's key is missing or wrong
 */
export async function openKeyRing(deps: KeyRingDeps): Promise<KeyRing> {
  const { database, operatorKeys, log } = deps
  const { dataKeys } = database.stores
  const loaded = await loadDataKeys(deps)
  const sealKeys = new Map(loaded.sealKeys)
  const unreadable = new Set<string>()
  const flight = new SingleFlight<readonly StoredDataKey[]>(RELOAD_BOUND_MS)
  let current: DataKeys['current'] = loaded.current
  let counted = { id: current.id, seals: 0 }

  function learn(record: StoredDataKey): void {
    if (record.purpose !== 'seal' || sealKeys.has(record.id) || unreadable.has(record.id)) return
    try {
      sealKeys.set(record.id, unwrap(record, operatorKeys))
    } catch (error) {
      if (!(error instanceof EncryptionKeyError)) throw error
      unreadable.add(record.id)
      log.error({ dataKey: record.id, advice: error.message }, 'data_key.unreadable')
    }
  }

  let reading: Promise<unknown> = Promise.resolve()

  const read = () => {
    const running = flight.run('', async () => {
      const stored = await dataKeys.list()
      for (const record of stored) learn(record)
      const newest = stored.findLast(({ id, isClosed }) => sealKeys.has(id) && !isClosed)
      const key = newest && sealKeys.get(newest.id)
      if (newest && key && newest.id !== current.id) {
        current = { id: newest.id, key }
        log.info({ dataKey: newest.id }, 'data_key.taken_up')
      }
      return stored
    })
    reading = running.catch(() => undefined) // whoever reads gets the error; the next one only waits
    return running
  }

  async function flush(): Promise<void> {
    const { id, seals } = counted
    if (seals === 0) return
    counted = { id: current.id, seals: 0 }
    await dataKeys.addSeals(id, seals)
  }

  return {
    get current() {
      return current
    },
    sealKeys,
    lookupKey: loaded.lookupKey,
    async reload() {
      await reading
      await read()
    },
    countSeal() {
      // What a rotation leaves behind under the old id is too little to matter.
      counted = { id: current.id, seals: counted.id === current.id ? counted.seals + 1 : 1 }
    },
    async keepUp() {
      if (counted.seals >= FLUSH_AT) await flush()
      const stored = await read()
      const newest = stored.at(-1)
      const [wrapping] = operatorKeys
      if (!newest || !wrapping || newest.id !== current.id || newest.seals < SEALS_OF_A_KEY) return
      const next = newKey('seal', newest.generation + 1, wrapping, deps)
      await database.transaction(async (stores) => {
        if (!(await stores.dataKeys.insert(next))) return
        await auditOperator(stores, deps, 'system', 'keys.rotation_started', `data_key:${next.id}`, {
          because: 'seal_limit',
        })
      })
      await read()
    },
    flush,
  }
}
