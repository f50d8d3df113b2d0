import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { GrantId } from '../../contract/ids.ts'
import type { DraftTrackingStore } from '../../core/ports/mail-stores-sending.ts'
import { readObject, writeJson } from '../column.ts'
import type { Connection, Engine, ListValue } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'

const findOf = statement((on, of: { grantId: GrantId; hashes: ListValue }, engine) =>
  on
    .selectFrom('draft_tracking')
    .select(['draft_id', 'options'])
    .where('grant_id', '=', of.grantId)
    .where(engine.isAnyOf(sql.ref('draft_hash'), of.hashes)),
)

export function createDraftTrackingStore(connection: Connection, engine: Engine): DraftTrackingStore {
  const run = createRunner(connection, engine)
  return {
    async find(grantId, draftIds) {
      if (draftIds.length === 0) return new Map()
      const rows = await run.all(findOf, { grantId, hashes: engine.list(draftIds.map(hashOf)) })
      return new Map(rows.map((row) => [row.draft_id, readObject(row.options)]))
    },
    async put(grant, draftId, options) {
      const hash = hashOf(draftId)
      if (!options) {
        await connection
          .deleteFrom('draft_tracking')
          .where('grant_id', '=', grant.id)
          .where('draft_hash', '=', hash)
          .execute()
        return
      }
      await connection
        .insertInto('draft_tracking')
        .values({ grant_id: grant.id, draft_hash: hash, draft_id: draftId, options: writeJson(options) })
        .onConflict((conflict) =>
          conflict
            .columns(['grant_id', 'draft_hash'])
            .doUpdateSet({ options: (row) => row.ref('excluded.options') }),
        )
        .execute()
    },
  }
}

/** An id may be longer than a PostgreSQL index entry can be. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
