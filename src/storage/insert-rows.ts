import { type RawBuilder, sql } from 'kysely'
import type { Connection, Engine, GivenColumns } from './engine.ts'

type Value = string | number | null
/** A row by column names; all rows of a call have the same columns. */
export type NewRow = { readonly [column: string]: Value }

/**
 * Inserts many rows by one statement; rows that a unique index refuses are left out. A column that is the same in
 * all rows is sent once, the others as one value each.
 *
 * @param returning  column that tells which rows were inserted
 */
export async function insertRows(
  connection: Connection,
  engine: Engine,
  table: string,
  rows: readonly NewRow[],
  returning: string,
): Promise<ReadonlySet<string>> {
  const [first] = rows
  if (!first) return new Set()
  const given: Record<string, GivenColumns[string]> = {}
  const selected: RawBuilder<unknown>[] = []
  const names = Object.keys(first)
  for (const name of names) {
    const value = first[name] ?? null
    if (name !== returning && rows.every((row) => row[name] === value)) {
      selected.push(constant(value))
      continue
    }
    given[name] = columnOf(rows, name)
    selected.push(sql.ref(`given.${name}`))
  }
  // "where true" lets SQLite tell the conflict clause from a join's condition.
  const { rows: made } = await sql<{ key: string }>`
    insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
    select ${sql.join(selected)} from ${engine.givenRows(given)} where true
    on conflict do nothing returning ${sql.ref(returning)} as key`.execute(connection)
  return new Set(made.map(({ key }) => key))
}

function constant(value: Value): RawBuilder<unknown> {
  if (value === null) return sql`null`
  return typeof value === 'number' ? sql`cast(${value} as bigint)` : sql`cast(${value} as text)`
}

function columnOf(rows: readonly NewRow[], name: string): GivenColumns[string] {
  const values = rows.map((row) => row[name] ?? null)
  const numbers = values.filter((value) => typeof value === 'number' || value === null)
  if (numbers.length === values.length && numbers.some((value) => value !== null)) {
    return { type: 'bigint', values: numbers }
  }
  return { type: 'text', values: values.map((value) => (value === null ? null : String(value))) }
}
