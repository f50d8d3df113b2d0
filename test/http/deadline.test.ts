import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { DetectService } from '../../src/core/ports/services.ts'
import { startHttpApp } from '../support/http-app.ts'

/** Detection that tells when it was called and ends only with its signal. */
function hangingDetection() {
  const calls = new EventEmitter()
  const called = once(calls, 'called').then(([signal]) => signal as AbortSignal)
  const detect: DetectService = {
    detect: (_caller, _email, { signal }) => {
      calls.emit('called', signal)
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
    },
  }
  return { called, detect }
}

test('fires the signal of a request when the client hangs up', async () => {
  const { called, detect } = hangingDetection()
  const app = await startHttpApp({ services: { detect } })
  try {
    const socket = connect(app.port, '127.0.0.1', () =>
      socket.write(
        `POST /v3/providers/detect?email=a@b.example HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${app.key}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
      ),
    )
    const signal = await called
    assert.equal(signal.aborted, false)
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    socket.destroy()
    await aborted
  } finally {
    await app.close()
  }
})

test('does not fire the signal because the request body has been read', async () => {
  let aborted: boolean | undefined
  const detect: DetectService = {
    async detect(_caller, email, { signal }) {
      // Real I/O in between: the request stream has closed by then.
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      aborted = signal.aborted
      return { email_address: email, detected: false }
    },
  }
  const app = await startHttpApp({ services: { detect } })
  try {
    const answer = await app.call('POST', '/v3/providers/detect?email=a@b.example', {
      filler: 'x'.repeat(10_000),
    })
    assert.equal(answer.status, 200)
    assert.equal(aborted, false)
  } finally {
    await app.close()
  }
})

test('answers 504 and fires the signal when a request takes too long', async () => {
  const { called, detect } = hangingDetection()
  const app = await startHttpApp({ services: { detect }, http: { requestTimeoutMs: 50 } })
  try {
    const answer = await app.call('POST', '/v3/providers/detect?email=a@b.example')
    assert.equal(answer.status, 504)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.deepEqual(answer.body.error, {
      type: 'api.provider_error',
      message: 'The request took too long.',
    })
    assert.equal((await called).aborted, true)
  } finally {
    await app.close()
  }
})
