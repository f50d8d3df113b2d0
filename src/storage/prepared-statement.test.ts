import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import type { ApplicationId } from '../contract/ids.ts'
import type { Engine } from './engine.ts'
import { statement } from './prepared-statement.ts'
import type { Tables } from './tables.ts'

const connection = new Kysely<Tables>({
  dialect: {
    createDriver: () => new DummyDriver(),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  },
})
// Only told apart by these statements, and asked for the clock.
const anEngine = (nowMs: number) => ({ nowMs: sql`${sql.lit(nowMs)}` }) as unknown as Engine

const id = (text: string) => text as ApplicationId

test('builds a statement once for each engine, and puts in the values of each call', () => {
  let built = 0
  const find = statement((on, of: { id: ApplicationId; name: string }, engine) => {
    built += 1
    return on
      .selectFrom('applications')
      .select(engine.nowMs.as('now'))
      .where('name', '=', of.name)
      .where('blocked', '=', 0)
      .where('id', '=', of.id)
  })
  const [one, other] = [anEngine(1), anEngine(2)]
  const first = find.with(connection, one, { id: id('a'), name: 'first' })
  const second = find.with(connection, one, { name: 'second', id: id('b') })
  assert.deepEqual(first.parameters, ['first', 0, 'a'])
  assert.deepEqual(second.parameters, ['second', 0, 'b'])
  assert.equal(second.sql, first.sql)
  assert.equal(built, 1)
  assert.match(find.with(connection, other, { id: id('a'), name: 'first' }).sql, /select 2 as "now"/)
  assert.equal(built, 2)
})

test('keeps null apart from the values of other calls', () => {
  const insert = statement(
    (on, row: { id: string; application_id: ApplicationId; revoked_at: number | null }) =>
      on.insertInto('api_keys').values({ ...row, name: 'n', hash: 'h', created_at: 1 }),
  )
  const engine = anEngine(1)
  const row = { id: 'k', application_id: id('a') }
  assert.deepEqual(insert.with(connection, engine, { ...row, revoked_at: null }).parameters.slice(0, 3), [
    'k',
    'a',
    null,
  ])
  assert.deepEqual(insert.with(connection, engine, { ...row, revoked_at: 7 }).parameters.slice(0, 3), [
    'k',
    'a',
    7,
  ])
})

test('refuses a statement that looks at a value while it is built', () => {
  const find = statement((on, { name }: { name: string }) =>
    on.selectFrom('applications').selectAll().where('name', '=', `${name}!`),
  )
  assert.throws(() => find.with(connection, anEngine(1), { name: 'x' }), /the value of name is not known/)
})
