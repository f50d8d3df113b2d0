import type { SeenTokenRecord, SeenTokenState } from '../../core/ports/records.ts'
import type { SeenTokenKey, SeenTokenStore } from '../../core/ports/stores.ts'
import type { Connection, Engine } from '../engine.ts'
import { NOBODY } from '../nobody.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { SeenTokenRow } from '../tables.ts'
import { readAttempt } from './refresh-attempt.ts'

const NO_ATTEMPT = { attempt_id: null, attempt_holder: null, attempt_started_at_ms: null, tries: 0 }

type KeyColumns = ReturnType<typeof fromKey>

const findByKey = statement((on, key: KeyColumns, engine) =>
  on
    .selectFrom('seen_tokens')
    .selectAll()
    .select(engine.nowMs.as('read_at_ms'))
    .where((eb) => eb.and(key)),
)

const insertAttempt = statement(
  (on, { attemptId, holder, ...key }: KeyColumns & { attemptId: string; holder: string }, engine) =>
    on
      .insertInto('seen_tokens')
      .values({
        ...key,
        state: 'attempted',
        attempt_id: attemptId,
        attempt_holder: holder,
        attempt_started_at_ms: engine.nowMs,
        tries: 1,
      })
      .onConflict((conflict) => conflict.doNothing()),
)

const pointTo = statement(
  (on, { digest, application_id, provider, client_id, ...target }: KeyColumns & Pointer) =>
    on
      .insertInto('seen_tokens')
      .values({ digest, application_id, provider, client_id, ...target })
      .onConflict((conflict) =>
        conflict.columns(['digest', 'application_id', 'provider', 'client_id']).doUpdateSet(target),
      ),
)

const grantPending = statement(
  (on, { pendingId, ...target }: { pendingId: string } & ReturnType<typeof toGrant>) =>
    on.updateTable('seen_tokens').set(target).where('pending_id', '=', pendingId),
)

export function createSeenTokenStore(connection: Connection, engine: Engine): SeenTokenStore {
  const run = createRunner(connection, engine)
  const opened = (attempt: { readonly id: string; readonly holder: string }) => ({
    attempt_id: attempt.id,
    attempt_holder: attempt.holder,
    attempt_started_at_ms: engine.nowMs,
  })
  const point = async (key: SeenTokenKey, target: Pointer) => {
    await run.change(pointTo, { ...fromKey(key), ...target })
  }
  return {
    async find(key) {
      const row = await run.first(findByKey, fromKey(key))
      return row ? toRecord(row) : null
    },
    async insertAttempt(key, attempt) {
      const { id: attemptId, holder } = attempt
      return (await run.change(insertAttempt, { ...fromKey(key), attemptId, holder })) === 1
    },
    async retakeAttempt(key, expectedAttempt, attempt) {
      const result = await connection
        .updateTable('seen_tokens')
        .set((eb) => ({ ...opened(attempt), tries: eb('tries', '+', 1) }))
        .where((eb) => eb.and({ ...fromKey(key), state: 'attempted', attempt_id: expectedAttempt }))
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    setPending: (key, pendingId) => point(key, toPending(pendingId)),
    setGranted: (key, grantId, version) => point(key, toGrant(grantId, version)),
    async grantPending(pendingId, grantId, version) {
      await run.change(grantPending, { pendingId, ...toGrant(grantId, version) })
    },
    async deleteAttempt(key, attemptId) {
      const result = await connection
        .deleteFrom('seen_tokens')
        .where((eb) => eb.and({ ...fromKey(key), state: 'attempted', attempt_id: attemptId }))
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
    async abandonAttempt(key, attemptId) {
      await connection
        .updateTable('seen_tokens')
        .set({ attempt_holder: NOBODY })
        .where((eb) => eb.and({ ...fromKey(key), state: 'attempted', attempt_id: attemptId }))
        .execute()
    },
    async deleteOfPending(pendingId) {
      await connection.deleteFrom('seen_tokens').where('pending_id', '=', pendingId).execute()
    },
    async findGrantByDigest(applicationId, digest) {
      const row = await connection
        .selectFrom('seen_tokens')
        .select('grant_id')
        .where('digest', '=', digest)
        .where('application_id', '=', applicationId)
        .where('state', '=', 'granted')
        .orderBy('version', 'desc')
        .executeTakeFirst()
      return row?.grant_id ?? null
    },
  }
}

type Pointer = ReturnType<typeof toPending> | ReturnType<typeof toGrant>

function toPending(pendingId: string) {
  return { ...NO_ATTEMPT, state: 'pending' as const, pending_id: pendingId, grant_id: null, version: null }
}

function toGrant(grantId: SeenTokenRow['grant_id'], version: number) {
  return { ...NO_ATTEMPT, state: 'granted' as const, pending_id: null, grant_id: grantId, version }
}

/** The row of a token that belongs to a grant. */
export function grantedRow(key: SeenTokenKey, grantId: SeenTokenRow['grant_id'], version: number) {
  return { ...fromKey(key), ...toGrant(grantId, version) }
}

function fromKey(key: SeenTokenKey) {
  return {
    digest: key.digest,
    application_id: key.applicationId,
    provider: key.provider,
    client_id: key.clientId,
  }
}

export function toRecord(row: SeenTokenRow & { readonly read_at_ms: number }): SeenTokenRecord {
  return {
    applicationId: row.application_id,
    provider: row.provider,
    clientId: row.client_id,
    digest: row.digest,
    state: toState(row),
    readAtMs: row.read_at_ms,
  }
}

function toState(row: SeenTokenRow): SeenTokenState {
  const attempt = readAttempt(row)
  if (row.state === 'attempted' && attempt) return { kind: 'attempted', attempt, tries: row.tries }
  if (row.state === 'pending' && row.pending_id !== null)
    return { kind: 'pending', pendingId: row.pending_id }
  if (row.state === 'granted' && row.grant_id !== null && row.version !== null) {
    return { kind: 'granted', grantId: row.grant_id, version: row.version }
  }
  throw new Error('a row of seen_tokens has no state that can be')
}
