// A program: Microsoft's and Google's token and mail endpoints with canned answers, as cheap as they can be, so that
// what is measured is who stands before them. `node mail-upstream.ts [latency of mail calls in ms]`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { setTimeout as later } from 'node:timers/promises'
import { ATTACHMENT_BYTES, gmailMessage, graphPage, PIECES } from './mail-upstream-mail.ts'

const latencyMs = Number(process.argv[2] ?? 0)
const PIECE = Buffer.alloc(ATTACHMENT_BYTES / PIECES, 'GrantwayGrantway')
const PIECE_BASE64 = Buffer.from(PIECE.toString('base64url'))
/** By how many messages they have. */
const pages = new Map<number, Buffer>()
let fresh = 0
/** Mail calls since this was last asked for. */
let calls = 0

const server = createServer((request, response) => {
  void answer(request, response)
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  for (const size of [50, 200]) {
    pages.set(size, Buffer.from(JSON.stringify(graphPage(`http://127.0.0.1:${port}`, size))))
  }
  console.log(JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${port}` }))
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  const who = request.headers.authorization?.replace('Bearer access-', '') ?? 'nobody'
  const body = await textOf(request)
  if (path.endsWith('/token')) return json(response, tokenFor(body))
  if (path === '/calls') {
    json(response, { calls })
    calls = 0
    return
  }
  if (path === '/userinfo') return json(response, { sub: who, email: `user-${who}@example.com` })
  if (path.startsWith('/v1.0/me?')) return json(response, { id: who, mail: `user-${who}@example.com` })
  if (path === '/readyz') return json(response, {})
  calls += 1
  if (latencyMs > 0) await later(latencyMs)
  if (path.includes('/$value')) return stream(response, '', PIECE, '')
  if (path.startsWith('/v1.0/me/messages?')) return json(response, pages.get(sizeOf(path, '$top')) ?? {})
  if (path.includes('/attachments/AAMkFile1?')) return json(response, graphFile())
  if (path.startsWith('/batch/')) return batch(response, body)
  if (path.includes('/attachments/')) {
    return stream(response, `{"size":${ATTACHMENT_BYTES},"data":"`, PIECE_BASE64, '"}')
  }
  if (path.startsWith('/gmail/v1/users/me/messages?')) return json(response, gmailIds(path))
  if (path.startsWith('/gmail/v1/users/me/messages/')) return json(response, gmailMessage(idOf(path), true))
  response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
}

function json(response: ServerResponse, body: object): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length }
  response.writeHead(200, headers).end(bytes)
}

function tokenFor(form: string): object {
  const account = new URLSearchParams(form).get('refresh_token')?.replace('refresh-', '') ?? 'nobody'
  const scope =
    new URLSearchParams(form).get('scope') ?? 'openid https://www.googleapis.com/auth/gmail.modify'
  return { access_token: `access-${account}`, token_type: 'Bearer', expires_in: 3600, scope }
}

function graphFile(): object {
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    id: 'AAMkFile1',
    name: 'file.bin',
    contentType: 'application/octet-stream',
    size: ATTACHMENT_BYTES,
  }
}

function sizeOf(path: string, parameter: string): number {
  return Number(new URL(path, 'http://upstream').searchParams.get(parameter))
}

/** The label `fresh` has messages that nobody has seen, each time. */
function gmailIds(path: string): object {
  const isFresh = path.includes('labelIds=fresh')
  const length = sizeOf(path, 'maxResults')
  if (isFresh) fresh += length
  const first = isFresh ? fresh : 0
  return { messages: Array.from({ length }, (_, n) => ({ id: (0xa0000000 + first + n).toString(16) })) }
}

function batch(response: ServerResponse, body: string): void {
  const parts = [...body.matchAll(/Content-ID: <([^>]+)>\r\n\r\nGET (\S+)/g)].map(
    ([, id = '', path = '']) => {
      const message = path.includes('format=full')
        ? gmailMessage(idOf(path), false)
        : { id: idOf(path), labelIds: ['INBOX'] }
      const head = `Content-Type: application/http\r\nContent-ID: <response-${id}>\r\n\r\nHTTP/1.1 200 OK`
      return `--batch\r\n${head}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(message)}\r\n`
    },
  )
  response.writeHead(200, { 'content-type': 'multipart/mixed; boundary=batch' })
  response.end(`${parts.join('')}--batch--`)
}

function idOf(path: string): string {
  return /\/messages\/([0-9a-f]+)/.exec(path)?.[1] ?? ''
}

/** Writes as fast as the reader takes it, never the whole in memory. */
function stream(response: ServerResponse, head: string, piece: Buffer, tail: string): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  // A client that hangs up is no failure of this program.
  pipeline(Readable.from(pieces(head, piece, tail), { objectMode: false }), response, () => undefined)
}

function* pieces(head: string, piece: Buffer, tail: string): Generator<Buffer> {
  if (head !== '') yield Buffer.from(head)
  for (let n = 0; n < PIECES; n += 1) yield piece
  if (tail !== '') yield Buffer.from(tail)
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString()
}
