import { hash } from 'node:crypto'
import { sql } from 'kysely'
import type { GrantId } from '../../contract/ids.ts'
import type { MetadataKind } from '../../core/ports/mail-services.ts'
import type { MetadataStore } from '../../core/ports/mail-stores-metadata.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine, ListValue } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'

const findOf = statement((on, of: { grantId: GrantId; kind: MetadataKind; hashes: ListValue }, engine) =>
  on
    .selectFrom('metadata')
    .select(['object_id', 'pairs'])
    .where('grant_id', '=', of.grantId)
    .where('kind', '=', of.kind)
    .where(engine.isAnyOf(sql.ref('object_hash'), of.hashes)),
)

export function createMetadataStore(connection: Connection, engine: Engine): MetadataStore {
  const run = createRunner(connection, engine)
  return {
    async put(owner, objectId, metadata, indexed) {
      const { seq } = await connection
        .insertInto('metadata')
        .values({
          application_id: owner.applicationId,
          grant_id: owner.grantId,
          kind: owner.kind,
          object_hash: hashOf(objectId),
          object_id: objectId,
          pairs: writeJson(metadata),
        })
        .onConflict((conflict) =>
          conflict
            .columns(['grant_id', 'kind', 'object_hash'])
            .doUpdateSet({ pairs: (row) => row.ref('excluded.pairs') }),
        )
        .returning('seq')
        .executeTakeFirstOrThrow()
      await connection.deleteFrom('metadata_pairs').where('seq', '=', seq).execute()
      if (indexed.length === 0) return
      await connection
        .insertInto('metadata_pairs')
        .values(
          indexed.map((pair) => ({
            grant_id: owner.grantId,
            kind: owner.kind,
            pair_hash: hashOf(pair),
            seq,
          })),
        )
        .execute()
    },
    async find(owner, objectIds) {
      if (objectIds.length === 0) return new Map()
      const { grantId, kind } = owner
      const rows = await run.all(findOf, { grantId, kind, hashes: engine.list(objectIds.map(hashOf)) })
      return new Map(rows.map((row) => [row.object_id, readObject(row.pairs)]))
    },
    async listWithPair(owner, pair, { limit, beforeSeq = Number.MAX_SAFE_INTEGER }) {
      const rows = await connection
        .selectFrom('metadata_pairs')
        .innerJoin('metadata', 'metadata.seq', 'metadata_pairs.seq')
        .select(['metadata_pairs.seq', 'metadata.object_id'])
        .where('metadata_pairs.grant_id', '=', owner.grantId)
        .where('metadata_pairs.kind', '=', owner.kind)
        .where('metadata_pairs.pair_hash', '=', hashOf(pair))
        .where('metadata_pairs.seq', '<', beforeSeq)
        .orderBy('metadata_pairs.seq', 'desc')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map((row) => ({ seq: Number(row.seq), objectId: row.object_id }))
    },
    async remove(owner, objectId) {
      await connection
        .deleteFrom('metadata')
        .where('grant_id', '=', owner.grantId)
        .where('kind', '=', owner.kind)
        .where('object_hash', '=', hashOf(objectId))
        .execute()
    },
  }
}

function hashOf(text: string): string {
  return hash('sha256', text, 'hex')
}
