import { invalidArgument, json, notFound, overRate, throttled } from '../reply.ts'
import { type SandboxState, takeFailure } from '../state.ts'
import type { SandboxReply, SandboxRequest } from '../types.ts'

const LIMIT = 100

/** Runs the calls of a batch and answers each alone, as Google's batch endpoint does. */
export function batchEndpoint(
  state: SandboxState,
  request: SandboxRequest,
  run: (state: SandboxState, request: SandboxRequest) => SandboxReply,
): SandboxReply {
  const [, boundary] =
    /^multipart\/mixed;.*boundary="?([^";]+)"?/.exec(request.headers['content-type'] ?? '') ?? []
  if (boundary === undefined) return invalidArgument('Failed to parse batch request: no boundary')
  const calls = request.body
    .split(`--${boundary}`)
    .slice(1, -1)
    .flatMap((text) => readCall(text, request) ?? [])
  if (calls.length === 0) return invalidArgument('Failed to parse batch request, error: 0 items')
  if (calls.length > LIMIT) return invalidArgument('The batch request is too large.')
  const parts = calls.map(({ id, call }) => {
    const failure = takeFailure(state, 'part')
    const reply =
      failure?.mode === '429'
        ? throttled(failure.retryAfterSeconds)
        : failure?.mode === '503'
          ? json({ error: { code: 503, message: 'Backend Error', status: 'UNAVAILABLE' } }, 503)
          : failure?.mode === '403'
            ? overRate()
            : failure?.mode === '404'
              ? notFound()
              : run(state, call)
    return writeAnswer(id, reply)
  })
  const mark = 'batch_sandbox-answer'
  return {
    status: 200,
    headers: { 'content-type': `multipart/mixed; boundary=${mark}` },
    body: `${parts.map((part) => `--${mark}\r\n${part}\r\n`).join('')}--${mark}--\r\n`,
  }
}

function readCall(
  text: string,
  outer: SandboxRequest,
): { readonly id: string; readonly call: SandboxRequest } | undefined {
  const [, id = ''] = /^content-id:\s*<?([^>\r\n]*)>?/im.exec(text) ?? []
  const [, method, path] = /^([A-Z]+) (\/\S*) HTTP\/1\.1\s*$/m.exec(text) ?? []
  if (method === undefined || path === undefined) return undefined
  const body = /HTTP\/1\.1\s*?\r?\n[\s\S]*?\r?\n\r?\n([\s\S]*)$/.exec(text)?.[1]?.trim() ?? ''
  const url = new URL(path, outer.url)
  return { id, call: { method, url, headers: outer.headers, body, bytes: Buffer.from(body) } }
}

function writeAnswer(id: string, reply: SandboxReply): string {
  const head = Object.entries({ ...reply.headers, 'content-length': String(Buffer.byteLength(reply.body)) })
  return [
    'Content-Type: application/http',
    `Content-ID: <response-${id}>`,
    '',
    `HTTP/1.1 ${reply.status} ${reply.status < 300 ? 'OK' : 'Error'}`,
    ...head.map(([name, value]) => `${name}: ${value}`),
    '',
    reply.body,
  ].join('\r\n')
}
