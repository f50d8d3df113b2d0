import type { SeenTokenKey } from '../ports/stores.ts'
import { together } from '../../kit/together.ts'
import { storePatiently } from './patient-store.ts'
import { pendingRecord, type PendingSecret } from './pending.ts'
import type { RefreshDeps } from './refresh-flight.ts'

/** Undoes the transaction: there was nothing to store. */
class AlreadyStoredError extends Error {}

/**
 * Commits what a token endpoint has just answered, before anybody knows whose it is: sealed, found again by each of its
 * refresh tokens. While the database is away it is tried again. A token that belongs to a grant already is left there.
 *
 * @param keys  of the refresh tokens that lead to it; the first tells whether there is anything to store
 * @returns the id of the pending secret
 */
export async function storePending(
  deps: RefreshDeps,
  keys: readonly [SeenTokenKey, ...SeenTokenKey[]],
  pending: PendingSecret,
): Promise<string> {
  const id = deps.ids.uuid()
  await storePatiently(deps.log, { provider: keys[0].provider }, async () => {
    try {
      await deps.database.transaction(async (stores) => {
        const [seen] = await together(
          stores.seenTokens.find(keys[0]),
          stores.pendingSecrets.insert(pendingRecord(deps.vault, id, keys[0], pending)),
          ...keys.map((key) => stores.seenTokens.setPending(key, id)),
        )
        const state = seen?.state
        // The latter by the try before, whose confirmation got lost with the connection.
        if (state?.kind === 'granted' || (state?.kind === 'pending' && state.pendingId === id)) {
          throw new AlreadyStoredError()
        }
      })
    } catch (error) {
      if (!(error instanceof AlreadyStoredError)) throw error
    }
  })
  return id
}
