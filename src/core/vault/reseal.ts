import { AppError } from '../../kit/app-error.ts'
import type { Resealed, SealedRow, SealedStore, SealedTable } from '../ports/sealed.ts'
import type { Vault } from '../ports/vault.ts'
import type { RotationState } from './rotation-state.ts'
import { dataKeyOf } from './vault.ts'

/** Rows read and written at once. */
const BATCH = 100
const MOST_NAMED = 20

/**
 * Seals the values of the next rows of a table anew that stand under a key that goes. A row that somebody changes
 * meanwhile is left to the next walk; nothing else than its sealed text changes.
 */
export async function reseal(
  { sealed, vault }: { readonly sealed: SealedStore; readonly vault: Vault },
  table: SealedTable,
  state: RotationState,
): Promise<RotationState> {
  const rows = await sealed.list(table, state.after, BATCH)
  const closing = new Set(state.closing)
  const unreadable = [...state.unreadable]
  const changes: Resealed[] = []
  for (const row of rows) {
    const { change, failed } = await sealAnew(vault, table, row, closing)
    unreadable.push(...failed)
    if (change) changes.push(change)
  }
  const changed = await sealed.replace(table, changes)
  const isLast = rows.length < BATCH
  return {
    ...state,
    table: isLast ? state.table + 1 : state.table,
    after: isLast ? '' : (rows.at(-1)?.id ?? ''),
    seen: state.seen + rows.length,
    resealed: state.resealed + changed,
    left: state.left + changes.length - changed,
    unreadable: unreadable.slice(0, MOST_NAMED),
  }
}

async function sealAnew(
  vault: Vault,
  { table, columns }: SealedTable,
  row: SealedRow,
  closing: ReadonlySet<string>,
): Promise<{ readonly change: Resealed | null; readonly failed: readonly string[] }> {
  const before: Record<string, string> = {}
  const after: Record<string, string> = {}
  const failed: string[] = []
  for (const column of columns) {
    const text = row.values[column]
    const key = text ? dataKeyOf(text) : undefined
    if (!text || key === undefined || !closing.has(key)) continue
    const place = { table, column, rowId: row.id, applicationId: row.applicationId }
    let plain: string
    try {
      plain = await vault.open(place, text)
    } catch (error) {
      if (error instanceof AppError) throw error // the database is away
      failed.push(`${table}.${column} of ${row.id}`) // damaged: its text and its key stay as they are
      continue
    }
    before[column] = text
    after[column] = vault.seal(place, plain)
  }
  return { change: Object.keys(before).length > 0 ? { id: row.id, before, after } : null, failed }
}
