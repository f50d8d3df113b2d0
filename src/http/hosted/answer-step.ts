import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Branding, SessionHandle } from '../../core/ports/oauth-services.ts'
import { randomIds } from '../../kit/ids.ts'
import { choosePage } from './choose-page.ts'
import { formPage } from './form-page.ts'
import { formToken } from './forgery.ts'
import { type FormContext, type Page, writePage } from './layout.ts'
import { leavePage } from './leave-page.ts'
import { pageHeaders } from './page-headers.ts'
import type { Shown } from './repeats.ts'
import { type Stop, stopPage } from './stop-page.ts'
import { TEXTS } from './texts.ts'
import { wantsHtml } from './wants-html.ts'

/** What browsers may be sent to: never what would run in a page of ours. */
const NO_PLACE = /^(?:javascript|data|vbscript|blob|file|about):/i

/** Where a step is shown. */
export interface Place {
  /** null: no page of a session can come of it */
  readonly session: SessionHandle | null
  /** address of the session's page */
  readonly path: string
}

/** Answers the step that a GET has led to. */
export function answerGet(
  request: FastifyRequest,
  reply: FastifyReply,
  { step, branding }: Shown,
  place: Place,
): FastifyReply {
  if (step.kind === 'redirect') return reply.redirect(locationOf(step.url), 302)
  return answerHere(request, reply, { step, branding }, place)
}

/** Answers the step that a form has led to. Never a redirect to another site: see this folder's README. */
export function answerPost(
  request: FastifyRequest,
  reply: FastifyReply,
  { step, branding }: Shown,
  place: Place,
): FastifyReply {
  if (step.kind !== 'redirect') return answerHere(request, reply, { step, branding }, place)
  const url = locationOf(step.url)
  if (!wantsHtml(request.headers.accept)) return reply.redirect(url, 303)
  return sendPage(reply, 200, leavePage(url), branding, false)
}

function answerHere(
  request: FastifyRequest,
  reply: FastifyReply,
  { step, branding }: Shown,
  { session, path }: Place,
): FastifyReply {
  if (step.kind === 'stop') return answerStop(request, reply, step, branding)
  if (step.kind === 'redirect' || !session) throw new Error(`a step ${step.kind} without a session`)
  if (!wantsHtml(request.headers.accept)) {
    const { notForMachines } = TEXTS.faults
    return answerStop(request, reply, {
      status: 406,
      type: 'api.invalid_request_error',
      message: notForMachines,
    })
  }
  const form: FormContext = { path, token: formToken(session) }
  const page = step.kind === 'choose' ? choosePage(step, form, branding) : formPage(step, form, branding)
  const status = request.method === 'POST' && page.hasError ? 422 : 200
  return sendPage(reply, status, page, branding, true)
}

/** Answers the end of a sign-in: a page, or the envelope of the API to who takes no pages. */
export function answerStop(
  request: FastifyRequest,
  reply: FastifyReply,
  stop: Stop,
  branding: Branding | null = null,
): FastifyReply {
  const { status, type, message } = stop
  if (wantsHtml(request.headers.accept)) {
    return sendPage(reply, status, stopPage(stop, request.id), branding, false)
  }
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(JSON.stringify({ request_id: request.id, error: { type, message } }))
}

/** Sends a page with its headers; each has a nonce of its own for its style element. */
export function sendPage(
  reply: FastifyReply,
  status: number,
  page: Page,
  branding: Branding | null,
  takesForms: boolean,
): FastifyReply {
  const nonce = randomIds.token(16)
  return reply
    .code(status)
    .headers(pageHeaders(nonce, branding, takesForms))
    .send(writePage({ branding, nonce }, page))
}

/** The address as it may stand in a header: registered addresses may hold letters that may not. */
function locationOf(url: string): string {
  if (NO_PLACE.test(url.trim())) throw new Error('a browser is to be sent to an address that is no place')
  return url.replaceAll(/[^\x21-\x7e]+/g, (text) =>
    Buffer.from(text, 'utf8').toString('hex').replaceAll(/../g, '%$&'),
  )
}
