import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TrackingVisit } from '../../core/ports/mail-services.ts'
import type { HttpDeps } from '../deps.ts'
import { clientOf } from '../plugins/serve-route.ts'

/** One transparent pixel. */
const IMAGE = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')
const NOT_FOUND =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not found</title><p>There is nothing at this address.</p></html>'
/** Headers by which browsers announce that nobody has asked for a page yet. */
const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** No answer is kept, tells where it came from or sets a cookie. */
const HEADERS = {
  'cache-control': 'no-store, private',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/**
 * Serves recipients of tracked messages: the image, which is the same for a token nobody knows, and links, which lead to
 * addresses of the message that was sent and nowhere else. No key, no JSON; not part of the API document.
 */
export function registerTracking(app: FastifyInstance, { services }: HttpDeps): void {
  const { tracking } = services
  app.get('/t/o/:token', { exposeHeadRoute: true }, (request, reply) => {
    tracking.opened(tokenOf(request).replace(/\.gif$/, ''), visitOf(request))
    // Image proxies that load it from anywhere: it says nothing, so any page may.
    return answer(reply, 'image/gif').header('cross-origin-resource-policy', 'cross-origin').send(IMAGE)
  })
  app.get('/t/l/:token', { exposeHeadRoute: true }, async (request, reply) => {
    const target = await tracking.clicked(tokenOf(request), visitOf(request))
    if (target === null) return await answer(reply, 'text/html; charset=utf-8').code(404).send(NOT_FOUND)
    return await answer(reply, 'text/plain; charset=utf-8').code(302).header('location', target).send('')
  })
}

function answer(reply: FastifyReply, contentType: string): FastifyReply {
  return reply.headers(HEADERS).header('content-type', contentType)
}

function tokenOf(request: FastifyRequest): string {
  // The boundary of the route: its pattern has this one parameter.
  const { token } = request.params as { readonly token: string }
  return token
}

function visitOf(request: FastifyRequest): TrackingVisit {
  return {
    ...clientOf(request),
    purpose: PURPOSE_HEADERS.flatMap((name) => request.headers[name] ?? []),
    isProbe: request.method === 'HEAD',
  }
}
