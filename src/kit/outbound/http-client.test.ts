import assert from 'node:assert/strict'
import { once } from 'node:events'
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
