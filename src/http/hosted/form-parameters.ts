import type { FastifyInstance } from 'fastify'
import { appError } from '../../contract/errors.ts'
import { TEXTS } from './texts.ts'

/** The first value of each parameter that is not empty: some SDKs send one twice (contract/auth.md 3). */
export type Parameters = { readonly [name: string]: string }

/** Longest list of scopes that is taken, and the longest code of a provider. */
const MOST_CHARACTERS = 8192
const MOST_VALUES = 100
export const FORM_LIMIT_BYTES = 64 * 1024

const { faults } = TEXTS

/**
 * Reads parameters, those of an address or of a form.
 * @throws AppError `api.invalid_request_error` for too many of them, or one that is too long
 */
export function readParameters(values: Iterable<readonly [string, string]>): Parameters {
  const parameters = new Map<string, string>()
  let count = 0
  for (const [name, value] of values) {
    count += 1
    if (count > MOST_VALUES) throw appError('api.invalid_request_error', faults.tooManyParameters)
    if (name.length > MOST_CHARACTERS || value.length > MOST_CHARACTERS) {
      throw appError('api.invalid_request_error', faults.parameterTooLong(name.slice(0, 40)))
    }
    if ((parameters.get(name) ?? '') === '') parameters.set(name, value)
  }
  return Object.fromEntries(parameters)
}

/** Makes a scope read `application/x-www-form-urlencoded` bodies as text, and no others. */
export function registerFormTexts(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_LIMIT_BYTES },
    (_request, body, done) => done(null, body),
  )
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(appError('api.unsupported_media_type', faults.bodyNotForm))
  })
}
