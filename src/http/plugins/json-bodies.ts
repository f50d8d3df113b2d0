import type { FastifyInstance, FastifyRequest } from 'fastify'
import { appError } from '../../contract/errors.ts'

/** Deeper nesting than this is nobody's request, and recursive writers would run out of stack. */
const MAX_DEPTH = 64

/**
 * Reads bodies: JSON whatever the charset, and an empty body as `{}` whatever the content type, since SDKs
 * send a JSON content type with nothing behind it (contract/auth.md rule 7).
 */
export function registerJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'ignore')
  app.removeAllContentTypeParsers()

  const read = (
    request: FastifyRequest,
    body: string,
    done: (error: Error | null, value?: unknown) => void,
  ) => {
    if (body.trim() === '') return done(null, {})
    // oxlint-disable-next-line typescript/no-floating-promises -- the default parser is a callback function
    parseJson(request, body, (error, value: unknown) => {
      if (error) return done(appError('api.invalid_request_payload'))
      if (isTooDeep(value))
        return done(appError('api.invalid_request_payload', 'The JSON is nested too deeply.'))
      done(null, value)
    })
  }

  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, read)
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (request, body, done) => {
    // No content type at all: the only thing this API reads is JSON.
    if (request.headers['content-type'] === undefined) return read(request, body, done)
    if (body === '') return done(null, {})
    done(appError('api.unsupported_media_type'))
  })
}

function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true
    const next: unknown[] = []
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue
      for (const child of Object.values(item))
        if (typeof child === 'object' && child !== null) next.push(child)
    }
    level = next
  }
  return false
}
