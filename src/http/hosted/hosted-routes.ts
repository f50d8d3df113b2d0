import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { appError } from '../../contract/errors.ts'
import type { SessionHandle } from '../../core/ports/oauth-services.ts'
import type { HttpDeps } from '../deps.ts'
import { underDeadline } from '../plugins/deadline.ts'
import { errorHandler, logError, toAppError } from '../plugins/errors.ts'
import { clientOf } from '../plugins/serve-route.ts'
import type { RawQuery } from '../query/coerce-query.ts'
import { answerGet, answerPost, answerStop, type Place, sendPage } from './answer-step.ts'
import { isFormToken, isFromOurPage } from './forgery.ts'
import { FORM_LIMIT_BYTES, type Parameters, readParameters, registerFormTexts } from './form-parameters.ts'
import { TOKEN_FIELD } from './layout.ts'
import { withLeftBehind, writeLeftBehind } from './left-behind.ts'
import { createPageCookies } from './page-cookies.ts'
import { answerHeaders } from './page-headers.ts'
import { createRepeats, type Shown } from './repeats.ts'
import { forgedPage } from './stop-page.ts'
import { TEXTS } from './texts.ts'
import { wantsHtml } from './wants-html.ts'

/** Well above the longest login at a mail server that is taken. */
const REQUEST_TIMEOUT_MS = 80_000
const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/
const LOGIN_URL = '/v3/connect/login/:session'
/** Pages are small, and hold tokens beside what others chose: they go out as they are (the BREACH attack). */
const route = { compress: false } as const

type Action = 'provider' | 'detect' | 'form' | 'cancel'

/** A form that was sent from a page of ours, by the browser whose session it is. */
interface SentForm {
  readonly session: SessionHandle
  readonly fields: Parameters
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Serves the pages of hosted authentication (contract/auth.md 3), in a scope of their own. */
export function registerHostedPages(scope: FastifyInstance, deps: HttpDeps): void {
  const { hosted } = deps.services
  const publicUrl = deps.publicUrl === undefined ? null : URL.parse(deps.publicUrl)
  const isHttps = publicUrl?.protocol === 'https:'
  const basePath = publicUrl?.pathname.replace(/\/+$/, '') ?? ''
  const { secret, leftBehind } = createPageCookies(isHttps, basePath)
  const timeoutMs = deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS
  const once = createRepeats(timeoutMs)
  const pathOf = (id: string) => `${basePath}/v3/connect/login/${id}`

  registerFormTexts(scope)
  scope.addHook('onRequest', async (_request, reply) => {
    void reply.headers(answerHeaders(isHttps))
  })
  scope.setErrorHandler(answerError(deps))

  // No HEAD for these two: what they do is not to be done by who only looks (previews of links, scanners of mail).
  scope.get('/v3/connect/auth', route, async (request, reply) => {
    const browserSecret = secret.read(request.headers.cookie)
    const client = { ...clientOf(request), browserSecret }
    const query = queryOf(request)
    const { step, session, branding } = await underDeadline(reply, timeoutMs, (signal) =>
      hosted.start(query, client, { requestId: request.id, signal }),
    )
    if (session) void reply.header('set-cookie', secret.write(session.browserSecret))
    // A page of its own, so that a reload starts nothing and the address bar shows nothing.
    if (session && (step.kind === 'choose' || step.kind === 'form')) {
      return reply.redirect(pathOf(session.id), 302)
    }
    return answerGet(request, reply, { step, branding }, { session: null, path: '' })
  })

  scope.get('/v3/connect/callback', route, async (request, reply) => {
    const browserSecret = secret.read(request.headers.cookie)
    const query = queryOf(request)
    const shown = await underDeadline(reply, timeoutMs, (signal) =>
      hosted.callback(query, browserSecret, clientOf(request), { requestId: request.id, signal }),
    )
    return answerGet(request, reply, shown, { session: null, path: '' })
  })

  scope.get(LOGIN_URL, { ...route, exposeHeadRoute: true }, async (request, reply) => {
    const session = sessionOf(request)
    const left = leftBehind.read(request.headers.cookie)
    if (left !== null) void reply.header('set-cookie', leftBehind.clear())
    const { step, branding } = await hosted.show(session)
    const shown = { step: withLeftBehind(step, left, session), branding }
    return answerGet(request, reply, shown, placeOf(session))
  })

  form('provider', ({ session, fields }) => hosted.choose(session, fields['provider'] ?? ''))

  form('detect', ({ session, fields, request, reply }) =>
    underDeadline(reply, timeoutMs, (signal) =>
      hosted.detect(session, fields['email'] ?? '', { requestId: request.id, signal }),
    ),
  )

  // It goes on when the browser hangs up, as it does for a second click.
  form('form', ({ session, fields, request }) =>
    once(session, 'form', fields, () =>
      hosted.submit(session, fields, clientOf(request), {
        requestId: request.id,
        signal: AbortSignal.timeout(timeoutMs),
      }),
    ),
  )

  form('cancel', ({ session }) => once(session, 'cancel', {}, () => hosted.cancel(session)))

  /** Registers a form: checked before anything is done. */
  function form(action: Action, work: (sent: SentForm) => Promise<Shown>): void {
    const url = `${LOGIN_URL}/${action}`
    scope.post(url, { ...route, bodyLimit: FORM_LIMIT_BYTES }, async (request, reply) => {
      const { [TOKEN_FIELD]: token = '', ...fields } = formOf(request)
      const session = sessionOf(request)
      const isGenuine =
        isFromOurPage(request.headers, publicUrl?.origin ?? null, request.host) && isFormToken(token, session)
      if (!isGenuine) return answerForged(request, reply, pathOf(session.id))
      const shown = await work({ session, fields, request, reply })
      const left =
        shown.step.kind === 'choose' || shown.step.kind === 'form'
          ? writeLeftBehind(shown.step, session)
          : null
      if (left === null) return answerPost(request, reply, shown, placeOf(session))
      return reply.header('set-cookie', leftBehind.write(left)).redirect(pathOf(session.id), 303)
    })
    // Who reloads by the address bar gets the session's page.
    scope.get(url, route, async (request, reply) => reply.redirect(pathOf(sessionOf(request).id), 303))
  }

  /** The session that a request is about. @throws AppError where it can't be one: no cookie, or no such id */
  function sessionOf(request: FastifyRequest): SessionHandle {
    const { session: id } = request.params as { readonly session: string }
    const browserSecret = secret.read(request.headers.cookie)
    if (browserSecret === null || !SESSION_ID.test(id)) throw appError('grant.login_id_invalid')
    return { id, browserSecret }
  }

  function placeOf(session: SessionHandle): Place {
    return { session, path: pathOf(session.id) }
  }
}

function queryOf(request: FastifyRequest): Parameters {
  const query = Object.entries(request.query as RawQuery)
  return readParameters(
    query.flatMap(([name, values]) => [values ?? []].flat().map((value) => [name, value] as const)),
  )
}

function formOf(request: FastifyRequest): Parameters {
  return typeof request.body === 'string' ? readParameters(new URLSearchParams(request.body)) : {}
}

function answerForged(request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply {
  if (wantsHtml(request.headers.accept)) {
    return sendPage(reply, 403, forgedPage(path), null, false)
  }
  const { message } = TEXTS.stop.forged
  return answerStop(request, reply, { status: 403, type: 'api.invalid_request_error', message })
}

/** Faults are pages too, with nothing of an unknown error in them. */
function answerError(deps: HttpDeps) {
  const answerJson = errorHandler(deps.logger)
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    if (!wantsHtml(request.headers.accept)) return answerJson(error, request, reply)
    const known = toAppError(error)
    logError(deps.logger, request, error, known)
    const { retryAfterSeconds } = known.extras
    if (retryAfterSeconds !== undefined)
      void reply.header('retry-after', String(Math.ceil(retryAfterSeconds)))
    return answerStop(request, reply, known)
  }
}
