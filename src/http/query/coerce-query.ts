import type { TSchema } from 'typebox'

const TRUE = new Set(['true', '1', 't', 'yes', 'y', 'on'])
const FALSE = new Set(['false', '0', 'f', 'no', 'n', 'off'])
const WHOLE = /^[+-]?\d{1,15}$/

/** Query parameters as the parser gives them: text, or several for a repeated name. */
export type RawQuery = { readonly [name: string]: string | readonly string[] | undefined }

/** Marks an array in a query schema whose items may contain commas: only repeats count. */
export const REPEATS = Symbol('repeats')

interface QueryProperty extends TSchema {
  readonly type?: string
  readonly [REPEATS]?: boolean
}

/**
 * Reads a query by its schema: undeclared names are left out, an empty value counts as absent, the last of
 * repeated scalars wins (contract/email.md 2), arrays are the union of repeats and comma parts, booleans come
 * in any case. What can't be read stays text, so that the schema refuses it by name.
 */
export function coerceQuery(
  properties: { readonly [name: string]: TSchema },
  raw: RawQuery,
): Record<string, unknown> {
  const query: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    const given = raw[name]
    const values = (typeof given === 'string' ? [given] : (given ?? [])).filter((value) => value !== '')
    const last = values.at(-1)
    if (last === undefined) continue
    query[name] = coerce(schema, last, values)
  }
  return query
}

function coerce(schema: QueryProperty, last: string, all: readonly string[]): unknown {
  switch (schema.type) {
    case 'array':
      if (schema[REPEATS]) return all
      return [...new Set(all.flatMap((value) => value.split(',')).map((part) => part.trim()))].filter(
        (part) => part !== '',
      )
    case 'boolean': {
      const word = last.trim().toLowerCase()
      return TRUE.has(word) ? true : FALSE.has(word) ? false : last
    }
    case 'integer':
      return WHOLE.test(last.trim()) ? Number(last) : last
    default:
      return last
  }
}
