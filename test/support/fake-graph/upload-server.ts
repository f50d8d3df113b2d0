import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import type { FakeUploads } from './graph-changes.ts'

interface Session {
  readonly size: number
  readonly parts: Buffer[]
  received: number
  readonly done: (content: Buffer) => string
}

export interface SeenPart {
  readonly range: string
  readonly bytes: number
}

/** Where pre-signed upload addresses lead: another origin than Graph's. */
export interface UploadServer extends FakeUploads {
  readonly url: string
  readonly seen: SeenPart[]
  /** Sentences about parts that the real service would refuse. */
  readonly violations: string[]
  /** What happens to the next part: nothing of it, or all of it but the answer. */
  failNext(how: '503' | 'taken without an answer'): void
  stop(): Promise<void>
}

const PART_LIMIT = 4_000_000

export async function startUploadServer(): Promise<UploadServer> {
  const sessions = new Map<string, Session>()
  const seen: SeenPart[] = []
  const violations: string[] = []
  let failure: '503' | 'taken without an answer' | undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const session = sessions.get(new URL(request.url ?? '/', base).pathname)
      const answer = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (!session) return void answer(404, { error: { code: 'itemNotFound', message: 'no session' } })
      if (request.headers.authorization !== undefined) violations.push('an upload carried Authorization')
      const expected = () => ({ nextExpectedRanges: [`${session.received}-`] })
      if (request.method === 'GET') return void answer(200, expected())
      const part = Buffer.concat(chunks)
      const range = String(request.headers['content-range'])
      const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range) ?? []
      seen.push({ range, bytes: part.length })
      if (failure === '503') {
        failure = undefined
        return void answer(503, { error: { code: 'serviceNotAvailable', message: 'no' } })
      }
      const fits =
        Number(from) === session.received &&
        Number(to) - Number(from) + 1 === part.length &&
        Number(total) === session.size &&
        part.length < PART_LIMIT
      if (!fits) {
        violations.push(`a part does not fit: ${range}, ${part.length} bytes`)
        return void answer(416, { error: { code: 'invalidRange', message: range } })
      }
      session.parts.push(part)
      session.received += part.length
      const isLast = session.received === session.size
      if (failure === 'taken without an answer') {
        failure = undefined
        return void response.destroy()
      }
      if (!isLast) return void answer(200, expected())
      sessions.delete(new URL(request.url ?? '/', base).pathname)
      const id = session.done(Buffer.concat(session.parts))
      response.writeHead(201, { location: `https://outlook.office.example/attachments('${id}')` }).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: base,
    seen,
    violations,
    open(size, done) {
      const path = `/upload/${randomUUID()}`
      sessions.set(path, { size, parts: [], received: 0, done })
      return `${base}${path}?authtoken=presigned`
    },
    failNext(how) {
      failure = how
    },
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
