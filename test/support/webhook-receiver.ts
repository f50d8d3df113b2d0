import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A POST as it came in. */
export interface ReceivedDelivery {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** the bytes that were signed */
  readonly raw: Buffer
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly envelope: any
}

export type ReceiverAnswer =
  | {
      readonly status: number
      readonly headers?: { readonly [name: string]: string }
      readonly body?: string | Buffer
    }
  /** Takes the request and never answers. */
  | 'hang'

/** A webhook receiver on loopback: answers challenges, keeps what is posted, and answers as it is told. */
export interface WebhookReceiver {
  /** Without a path: each path is a destination of its own. */
  readonly url: string
  readonly received: readonly ReceivedDelivery[]
  /** From now on, on this path; the default is 200. A list is used up, its last entry stays. */
  answer(path: string, ...answers: readonly ReceiverAnswer[]): void
  /** Waits until that many have come on the path. */
  waitFor(path: string, count: number): Promise<readonly ReceivedDelivery[]>
  stop(): Promise<void>
}

const PATIENCE_MS = 20_000

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedDelivery[] = []
  const answers = new Map<string, ReceiverAnswer[]>()
  const waiting = new Set<() => void>()

  const server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://receiver')
    const challenge = searchParams.get('challenge')
    if (request.method === 'GET') {
      response.writeHead(challenge === null ? 404 : 200).end(challenge)
      return
    }
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const raw = Buffer.concat(parts)
      const json = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      received.push({ path, headers: request.headers, raw, envelope: JSON.parse(json.toString('utf8')) })
      respond(response, nextAnswer(path))
      for (const look of waiting) look()
    })
  })
  function nextAnswer(path: string): ReceiverAnswer {
    const list = answers.get(path) ?? []
    return (list.length > 1 ? list.shift() : list[0]) ?? { status: 200 }
  }
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const at = (path: string) => received.filter((delivery) => delivery.path === path)

  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answer(path, ...list) {
      answers.set(path, [...list])
    },
    waitFor: (path, count) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (at(path).length < count) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(at(path))
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`only ${at(path).length} of ${count} deliveries came to ${path}`))
        }, PATIENCE_MS)
        waiting.add(look)
        look()
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function respond(response: ServerResponse, answer: ReceiverAnswer): void {
  if (answer === 'hang') return
  response.writeHead(answer.status, answer.headers).end(answer.body)
}
