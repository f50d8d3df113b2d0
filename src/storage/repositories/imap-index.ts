import type { ImapIndexStore, IndexedAccount, IndexPiece } from '../../core/ports/mail-stores-imap-index.ts'
import type { Connection } from '../engine.ts'

/** Each statement stands alone: half of a change is an index that lacks something, which is allowed. */
export function createImapIndexStore(connection: Connection): ImapIndexStore {
  async function insert({ grantId, account }: IndexedAccount, pieces: readonly IndexPiece[]): Promise<void> {
    if (pieces.length === 0) return
    await connection
      .insertInto('imap_index')
      .values(
        pieces.map(({ path, uidValidity, rows }) => ({
          grant_id: grantId,
          account,
          path,
          uid_validity: uidValidity,
          rows,
        })),
      )
      .execute()
  }
  return {
    async list({ grantId, account }) {
      const rows = await connection
        .selectFrom('imap_index')
        .select(['path', 'uid_validity', 'rows'])
        .where('grant_id', '=', grantId)
        .where('account', '=', account)
        .orderBy('seq')
        .execute()
      return rows.map((row) => ({
        path: row.path,
        uidValidity: Number(row.uid_validity),
        rows: row.rows,
      }))
    },
    async add(account, pieces) {
      const validity = new Map(pieces.map((piece) => [piece.path, piece.uidValidity]))
      await connection
        .deleteFrom('imap_index')
        .where('grant_id', '=', account.grantId)
        .where((where) =>
          where.or([
            where('account', '!=', account.account),
            ...[...validity].map(([path, uidValidity]) =>
              where.and([where('path', '=', path), where('uid_validity', '!=', uidValidity)]),
            ),
          ]),
        )
        .execute()
      await insert(account, pieces)
    },
    async replace(account, pieces) {
      await connection.deleteFrom('imap_index').where('grant_id', '=', account.grantId).execute()
      await insert(account, pieces)
    },
  }
}
