import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ProviderError } from '../provider-error.ts'
import { createHttpClient } from './http-client.ts'

// In a thread of its own, so that it answers while this one is stopped.
const SERVER = `
  const { createServer } = require('node:http')
  const { parentPort } = require('node:worker_threads')
  const server = createServer((request, response) => {
    parentPort.postMessage('asked')
    setTimeout(() => response.end('the answer'), 200)
  })
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
const DEADLINE_MS = 100
const PAUSE_MS = 600

describe('an answer that comes while this process is stopped for longer than the deadline', () => {
  const http = createHttpClient()
  let server: Worker
  let url = ''
  before(async () => {
    server = new Worker(SERVER, { eval: true })
    const [port] = (await once(server, 'message')) as [number]
    url = `http://127.0.0.1:${port}/`
  })
  after(async () => {
    await http.close()
    await server.terminate()
  })

  async function askAndStop(outlastsPauses: boolean) {
    const asked = once(server, 'message')
    const answer = http.request({ method: 'POST', url, timeoutMs: DEADLINE_MS, outlastsPauses })
    answer.catch(() => undefined) // looked at below
    await asked
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    return answer
  }

  test('is read where the call must not lose it', async () => {
    assert.equal((await askAndStop(true)).body.toString(), 'the answer')
  })

  test('is given up elsewhere', async () => {
    await assert.rejects(
      askAndStop(false),
      (error) => error instanceof ProviderError && error.kind === 'timeout',
    )
  })
})

describe('a streamed answer', () => {
  const http = createHttpClient()
  const server = createServer((_request, response) => {
    response.on('close', () => server.emit('hung-up'))
    response.write('the beginning')
  })
  let url = ''
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}/` : ''
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await http.close()
  })
  const open = () => http.stream({ method: 'GET', url, timeoutMs: 600_000 })

  test('gives its connection up when it is destroyed before it was read', async () => {
    const hungUp = once(server, 'hung-up')
    const { body } = await open()
    body.destroy()
    await hungUp
  })

  test('gives its connection up when the reader stops in the middle', async () => {
    const hungUp = once(server, 'hung-up')
    const { body } = await open()
    for await (const chunk of body) {
      assert.equal(String(chunk), 'the beginning')
      break
    }
    await hungUp
  })

  test('fails as a provider that broke off does', async () => {
    const { body } = await open()
    server.closeAllConnections()
    await assert.rejects(
      async () => {
        for await (const _chunk of body);
      },
      (error) => error instanceof ProviderError && error.kind === 'unavailable',
    )
  })
})

describe('a whole answer', () => {
  const http = createHttpClient()
  const server = createServer((request, response) => {
    response.on('close', () => server.emit('hung-up'))
    if (request.url === '/never') return void server.emit('asked')
    if (request.url === '/cut') return void response.write('the beginning', () => response.destroy())
    response.end('x'.repeat(200_000))
  })
  let url = ''
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await http.close()
  })
  const ask = (path: string, more: { readonly signal?: AbortSignal; readonly maxBytes?: number } = {}) =>
    http.request({ method: 'GET', url: url + path, timeoutMs: 10_000, ...more })
  const isKind = (kind: string) => (error: unknown) => error instanceof ProviderError && error.kind === kind

  test('comes in one piece, up to the limit and not over it', async () => {
    assert.equal((await ask('/', { maxBytes: 200_000 })).body.length, 200_000)
    await assert.rejects(ask('/', { maxBytes: 199_999 }), isKind('malformed-response'))
    assert.equal((await ask('/')).body.length, 200_000)
  })

  test('that nobody waits for any more gives its connection up', async () => {
    const controller = new AbortController()
    const [asked, hungUp] = [once(server, 'asked'), once(server, 'hung-up')]
    const answer = ask('/never', { signal: controller.signal })
    const refused = assert.rejects(answer, isKind('timeout'))
    await asked
    controller.abort()
    await Promise.all([refused, hungUp])
    await assert.rejects(ask('/', { signal: controller.signal }), isKind('timeout'))
  })

  test('that breaks off is a failure', async () => {
    await assert.rejects(ask('/cut'), isKind('unavailable'))
  })

  test('waits no longer than its deadline', async () => {
    await assert.rejects(
      http.request({ method: 'GET', url: `${url}/never`, timeoutMs: 20 }),
      isKind('timeout'),
    )
  })
})
