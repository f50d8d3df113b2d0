import type { FastifyInstance, HTTPMethods } from 'fastify'
import { appError } from '../../contract/errors.ts'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Answers the methods a known path doesn't take: 405 with `Allow`, before a body is read and whoever asks.
 *
 * @param served  per URL pattern, the methods that are served
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  served: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [url, methods] of served) {
    const allow = [...methods].join(', ')
    const others = METHODS.filter((method) => !methods.has(method))
    app.route({
      method: [...others],
      url,
      onRequest: async (_request, reply) => {
        void reply.header('allow', allow)
        throw appError('api.method_not_allowed')
      },
      handler: () => undefined,
    })
  }
}
