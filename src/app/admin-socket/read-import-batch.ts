import { Type } from 'typebox'
import { applicationId } from '../../contract/ids.ts'
import type { RawRow } from '../../core/ports/import.ts'
import type { JsonObject } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'
import type { AdminCommand } from '../commands.ts'

const ImportBatch = Type.Object({
  applicationId: Type.String(),
  options: Type.Object({
    verify: Type.Union([Type.Literal('lazy'), Type.Literal('now')]),
    dryRun: Type.Boolean(),
    events: Type.Boolean(),
  }),
  rows: Type.Array(
    Type.Object({
      line: Type.Integer(),
      value: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      problem: Type.Optional(Type.String()),
    }),
  ),
})

/** Reads the rows of an import's batch; `undefined` when that is no batch. */
export function readImportBatch(value: JsonObject): AdminCommand | undefined {
  const shape = checkShape(ImportBatch, value, '')
  if (!shape.ok) return undefined
  const { applicationId: owner, rows, options } = shape.value
  return {
    name: 'import.batch',
    applicationId: applicationId(owner),
    options,
    rows: rows.map(
      ({ line, value: fields, problem }): RawRow =>
        fields ? { line, value: fields } : { line, problem: problem ?? 'the row is empty' },
    ),
  }
}
