import type { FastifyReply } from 'fastify'
import { appError } from '../../contract/errors.ts'

const TIME_UP = 'The request took too long.'

/**
 * Runs a handler under a deadline. Its signal fires when time is up or the client hangs up; Fastify's own
 * `request.signal` fires as soon as a body has been read (5.12, tried 2026-11), so it is of no use here.
 *
 * @throws AppError 504 `api.provider_error` when time is up, whether or not the handler heeds the signal
 */
export async function underDeadline<T>(
  reply: FastifyReply,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { signal } = controller
  const timer = setTimeout(() => controller.abort(new DOMException(TIME_UP, 'TimeoutError')), timeoutMs)
  const timeUp = new Promise<never>((_resolve, reject) => {
    const onAbort = () => {
      // Nobody is there to be answered after a hang-up: then the handler just ends by its signal.
      if (signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError') {
        reject(appError('api.provider_error', TIME_UP))
      }
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  const onClose = () => {
    if (!reply.raw.writableFinished) controller.abort(new DOMException('the client hung up', 'AbortError'))
  }
  reply.raw.once('close', onClose)
  try {
    return await Promise.race([work(signal), timeUp])
  } finally {
    clearTimeout(timer)
    reply.raw.off('close', onClose)
  }
}
