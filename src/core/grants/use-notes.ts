import { LRUCache } from 'lru-cache'
import type { GrantId } from '../../contract/ids.ts'
import type { Stores } from '../ports/stores.ts'
import type { GrantUse } from '../ports/grant-secret-store.ts'
import type { LiveToken } from './refresh-flight.ts'

/** Which grants this process has used, noted in memory: a use costs no database write. */
export interface UseNotes {
  /** Notes a use, of each grant at most once an hour. */
  note(grantId: GrantId, token: LiveToken, nowMs: number): void
  /** Writes down what was noted since. What could not be written is kept for the next time. */
  flush(): Promise<void>
}

/** The schedule asks whether a grant was used within a day: an hour is fine enough. */
const EVERY_MS = 60 * 60 * 1000
const REMEMBERED_GRANTS = 50_000
const BATCH = 200

export function createUseNotes(secrets: Stores['secrets']): UseNotes {
  const notedAtMs = new LRUCache<GrantId, number>({ maxSize: REMEMBERED_GRANTS, sizeCalculation: () => 1 })
  const noted = new Map<GrantId, GrantUse>()
  return {
    note(grantId, { version, refreshDueMs }, nowMs) {
      if (nowMs - (notedAtMs.get(grantId) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return
      notedAtMs.set(grantId, nowMs)
      noted.set(grantId, { grantId, version, refreshDueMs })
    },
    async flush() {
      const uses = [...noted.values()]
      for (let at = 0; at < uses.length; at += BATCH) {
        const batch = uses.slice(at, at + BATCH)
        await secrets.noteUses(batch)
        for (const use of batch) if (noted.get(use.grantId) === use) noted.delete(use.grantId)
      }
    },
  }
}
