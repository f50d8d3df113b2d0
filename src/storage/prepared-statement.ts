import type { Compilable, CompiledQuery, QueryResult } from 'kysely'
import type { Connection, Engine, ListValue } from './engine.ts'

type Value = string | number | null | ListValue

/** A statement that is built and compiled once for each engine, and run with other values each time (docs/decisions/0022). */
export interface Statement<Values, Row> {
  /** Puts the values into the text that was compiled at the first call. */
  with(connection: Connection, engine: Engine, values: Values): CompiledQuery<Row>
}

/**
 * Describes a statement by a query with names in the place of values.
 *
 * @param build  called once for each engine: the values it gets stand for any, so it hands them on to Kysely and does
 *               nothing else with them. What depends on a value is worked out before, or is a statement of its own.
 */
export function statement<Values extends { readonly [name in keyof Values]: Value }, Row>(
  build: (connection: Connection, values: Values, engine: Engine) => Compilable<Row>,
): Statement<Values, Row> {
  const compiled = new WeakMap<Engine, CompiledQuery<Row>>()
  return {
    with(connection, engine, values) {
      let known = compiled.get(engine)
      if (!known) {
        known = build(connection, namesOf(values), engine).compile()
        compiled.set(engine, known)
      }
      const { sql, query, queryId, parameters } = known
      const given: { readonly [name: string]: unknown } = values
      const filled = parameters.map((each) => (each instanceof Named ? given[each.name] : each))
      return { sql, query, queryId, parameters: filled }
    },
  }
}

/** Runs statements on one connection or transaction. */
export interface Runner {
  all<Values, Row>(statement: Statement<Values, Row>, values: Values): Promise<readonly Row[]>
  /** The first row; undefined when there is none. */
  first<Values, Row>(statement: Statement<Values, Row>, values: Values): Promise<Row | undefined>
  /** @returns how many rows it inserted, updated or deleted */
  change<Values>(statement: Statement<Values, unknown>, values: Values): Promise<number>
}

export function createRunner(connection: Connection, engine: Engine): Runner {
  const run = <Values, Row>(which: Statement<Values, Row>, values: Values) =>
    execute(connection, which.with(connection, engine, values))
  return {
    all: async (which, values) => (await run(which, values)).rows,
    first: async (which, values) => (await run(which, values)).rows[0],
    change: async (which, values) => Number((await run(which, values)).numAffectedRows ?? 0n),
  }
}

/**
 * In a transaction a statement is handed to the connection and the next one may follow before it is answered: Kysely
 * would send one at a time. Outside, the connection goes back to its pool only after the answer.
 */
async function execute<Row>(connection: Connection, query: CompiledQuery<Row>): Promise<QueryResult<Row>> {
  if (!connection.isTransaction) return connection.executeQuery(query)
  // In an object: an async function would wait for a bare promise.
  const sent = await connection
    .getExecutor()
    .provideConnection(async (on) => ({ answer: on.executeQuery<Row>(query) }))
  return sent.answer
}

/** Stands in a query for a value that is not known yet. Whoever looks at it finds out at once. */
class Named {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError(`the value of ${this.name} is not known where a statement is built`)
  }
}

function namesOf<Values extends object>(values: Values): Values {
  const names = Object.fromEntries(Object.keys(values).map((name) => [name, new Named(name)]))
  // Only Kysely sees them, and keeps them as they are among the parameters.
  return names as unknown as Values
}
