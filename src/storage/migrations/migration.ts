import type { Connection, Engine } from '../engine.ts'

/** One step of the schema. Forward only; never edited once released. */
export interface Migration {
  /** Name of its file: what `schema_migrations` keeps. */
  readonly name: string
  up(transaction: Connection, engine: Engine): Promise<void>
}
