import { Type } from 'typebox'

/** What an import came to (our extension). */
export const ImportReport = Type.Object(
  {
    rows: Type.Integer(),
    created: Type.Integer(),
    updated: Type.Integer({ description: 'Grants that were there and got a new secret' }),
    skipped: Type.Integer({ description: 'Rows that were imported before' }),
    failed: Type.Integer(),
    dry_run: Type.Boolean(),
    errors: Type.Array(
      Type.Object({
        line: Type.Integer({ description: 'Line of the file the row begins in, counted from 1' }),
        email: Type.Optional(Type.String()),
        error: Type.Object({ type: Type.String(), message: Type.String() }),
      }),
      { description: 'The first 1000 failed rows' },
    ),
  },
  { $id: 'ImportReport' },
)
