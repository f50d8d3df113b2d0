import { appError } from '../../../contract/errors.ts'

/** Blocks in blocks. */
export const MAX_DEPTH = 50
/** Blocks and branches of a Handlebars template: nested in each other, they cost its parser the square of their number. */
export const MAX_BLOCKS = 500
/** Nodes that are walked in one rendering, loops counted. */
export const MAX_STEPS = 200_000
/** Characters of a rendered subject or body. */
export const MAX_OUTPUT = 2_000_000
/** A stored template's body, in bytes. */
export const MAX_BODY_BYTES = 256 * 1024

/** A 400 that says what is wrong with a template. */
export function invalidTemplate(problem: string) {
  return appError('api.invalid_request_error', `The template cannot be rendered: ${problem.slice(0, 300)}.`)
}
