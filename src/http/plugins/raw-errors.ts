import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kit/app-error.ts'
import { randomIds } from '../../kit/ids.ts'
import { bodyOf, toAppError } from './errors.ts'

/*
 * Errors that pass by Fastify's error handler and hooks. They are written by hand, in the same envelope, since
 * Node and Fastify would answer them with another body or none.
 */

const TYPE = 'api.invalid_request_error'

/** Answers what the router finds before a route is chosen: a bad URL, an id that is too long. */
export function frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const known = toAppError(error)
  reply.hijack()
  write(reply.raw, known.status, request.id, bodyOf(request, known))
}

/** Answers a request whose `Expect` is not `100-continue`. */
export function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const id = randomIds.uuid()
  const error = new AppError(TYPE, 417, 'The expectation in the Expect header cannot be met.')
  write(response, error.status, id, bodyOf({ id, url: request.url ?? '' }, error))
}

/** Answers a request that the parser can't read, on the bare socket. */
export function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, message] = readFault(error.code)
  const requestId = randomIds.uuid()
  const body = envelope(requestId, message)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function readFault(code: string | undefined): readonly [status: number, message: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'The request headers are too large.']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'The request did not arrive in time.']
    default:
      return [400, 'The request is not valid HTTP.']
  }
}

function envelope(requestId: string, message: string): string {
  return JSON.stringify({ request_id: requestId, error: { type: TYPE, message } })
}

function write(response: ServerResponse, status: number, requestId: string, body: string): void {
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': requestId,
    })
    .end(body)
}
