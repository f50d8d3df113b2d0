import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { appError } from '../../contract/errors.ts'

/** A body as it comes in: never whole in memory, so there is no limit to its size but the request's time. */
export interface StreamedBody {
  /** one of the route's content types */
  readonly type: string
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Any type, and none. */
const ANY = '*/*'

/** Hands bodies of these types on unread, and refuses all others. For a scope of its own. */
export function streamBodies(scope: FastifyInstance, types: readonly string[]): void {
  scope.removeAllContentTypeParsers()
  for (const type of types) {
    scope.addContentTypeParser(type === ANY ? '*' : type, (_request, payload: Readable, done) => {
      // A route that stops reading still has an answer to give: the connection stays.
      const chunks = payload.iterator({ destroyOnReturn: false })
      done(null, { type, chunks } satisfies StreamedBody)
    })
  }
  if (types.includes(ANY)) return
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(appError('api.unsupported_media_type', `The request body must be ${types.join(' or ')}.`))
  })
}
