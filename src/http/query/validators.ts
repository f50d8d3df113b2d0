import { Value } from 'typebox/value'
import type { TObject, TSchema } from 'typebox'
import { appError, type ErrorKey } from '../../contract/errors.ts'
import { isJsonObject } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'
import { coerceQuery, type RawQuery } from './coerce-query.ts'

/**
 * Checks a body without coercing it; fields the schema doesn't declare are left out, since SDKs send extras.
 * @throws AppError `invalidInput` that names the field
 */
export function readBody(
  schema: TSchema,
  body: unknown,
  invalidInput: ErrorKey = 'api.invalid_request_error',
): unknown {
  const given = body ?? {}
  if (body === null || !isJsonObject(given)) {
    throw appError(invalidInput, 'The request body must be a JSON object.')
  }
  const shape = checkShape(schema, given, '')
  if (!shape.ok) throw appError(invalidInput, shape.problem)
  return Value.Clean(schema, given)
}

/**
 * Coerces a query by its schema and checks it.
 * @throws AppError `invalidInput` that names the parameter
 */
export function readQuery(
  schema: TObject,
  raw: RawQuery,
  invalidInput: ErrorKey = 'api.invalid_request_error',
): unknown {
  const query = coerceQuery(schema.properties, raw)
  const shape = checkShape(schema, query, '')
  if (!shape.ok) throw appError(invalidInput, shape.problem)
  return query
}
