import { createRequire } from 'node:module'

type Write = (answer: unknown) => string

let loaded: ((schema: unknown) => Write) | undefined

/** Loads the compiler of serializers when the first answer is written. */
function compile(schema: unknown): Write {
  loaded ??= createRequire(import.meta.url)('fast-json-stringify') as (schema: unknown) => Write
  return loaded(schema)
}

/** Writes answers by their declared schema, compiled when the first such answer is written. */
function writeLate({ schema }: { readonly schema?: unknown }): Write {
  let write: Write | undefined
  return (answer) => (write ??= compile(schema))(answer)
}

/** Input is checked by `query/validators.ts`, so that a validator of Fastify's is not even loaded. */
function noValidator(): never {
  throw new Error('A route declares its input in `query` and `body`, not in a schema of Fastify.')
}

/**
 * What Fastify makes of the schemas of routes: at a start nothing, where it would compile the answers of a hundred routes of
 * which most are never asked.
 */
export const answerWriters = { buildSerializer: () => writeLate, buildValidator: noValidator }
