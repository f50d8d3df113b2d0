import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

const compiled = new WeakMap<TSchema, Validator>()

export type ShapeResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string }

/**
 * Checks a value against a schema without coercing it.
 *
 * @param at  where the value stands, for the text: `settings` gives "settings.refresh_token is required"
 * @returns the value, or one sentence that names the first offending field
 */
export function checkShape<S extends TSchema>(schema: S, value: unknown, at: string): ShapeResult<Static<S>> {
  let validator = compiled.get(schema)
  if (!validator) {
    validator = Compile(schema)
    compiled.set(schema, validator)
  }
  if (validator.Check(value)) return { ok: true, value: value as Static<S> }
  const [first] = validator.Errors(value)
  return { ok: false, problem: describe(first, at) }
}

interface SchemaProblem {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

function describe(problem: SchemaProblem | undefined, at: string): string {
  if (!problem) return `${at} is not valid`
  const path = problem.instancePath.split('/').filter(Boolean)
  const missing = 'requiredProperties' in problem.params ? problem.params.requiredProperties : undefined
  if (Array.isArray(missing) && missing[0] !== undefined) {
    return `${[at, ...path, String(missing[0])].filter(Boolean).join('.')} is required`
  }
  return `${[at, ...path].filter(Boolean).join('.')} ${problem.message}`
}
