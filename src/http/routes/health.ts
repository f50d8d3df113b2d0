import { Type } from 'typebox'
import { appError } from '../../contract/errors.ts'
import { publicRoute, type Route } from '../route.ts'

const Health = Type.Object({
  request_id: Type.String(),
  status: Type.String(),
  version: Type.String(),
})

/** Whether the process lives, and whether it can serve. */
export function healthRoutes(): readonly Route[] {
  const tag = 'Health'
  return [
    publicRoute({
      method: 'GET',
      url: '/healthz',
      operationId: 'getHealth',
      summary: 'Tells that the process lives',
      tag,
      limit: 'none',
      response: Health,
      handle: ({ server }) => Promise.resolve({ status: 'ok', version: server.version }),
    }),
    publicRoute({
      method: 'GET',
      url: '/readyz',
      operationId: 'getReadiness',
      summary: 'Tells whether the database answers and is migrated',
      tag,
      limit: 'none',
      response: Health,
      handle: async ({ server }) => {
        const unready = (cause?: unknown) =>
          appError('api.unavailable', 'Not ready: the database is unreachable or not migrated.', {
            retryAfterSeconds: 1,
            cause,
          })
        const isReady = await server.readiness().catch((cause: unknown) => {
          throw unready(cause)
        })
        if (!isReady) throw unready()
        return { status: 'ready', version: server.version }
      },
    }),
  ]
}
