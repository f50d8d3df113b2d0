import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { appError } from '../../contract/errors.ts'
import type { HttpMetrics } from '../deps.ts'
import { bearerOf } from './auth.ts'

/** Serves `/metrics` to the holder of its own bearer token; to everybody else the route does not exist. */
export function registerMetrics(app: FastifyInstance, metrics: HttpMetrics): void {
  const { token } = metrics
  if (!token) return
  app.get('/metrics', async (request, reply) => {
    const bearer = bearerOf(request)
    if (bearer === null || !isEqual(bearer, token.open())) throw appError('api.not_found_error')
    return reply.header('content-type', metrics.contentType).send(await metrics.render())
  })
}

function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
