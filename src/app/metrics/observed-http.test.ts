import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentTelemetry, type Telemetry } from '../../core/ports/telemetry.ts'
import type { HttpRequest, HttpResponse } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { observedHttp } from './observed-http.ts'

type Call = Parameters<Telemetry['calledProvider']>[0]

const REQUEST: HttpRequest = {
  method: 'GET',
  url: 'https://api.example.com/ada@example.com',
  timeoutMs: 1000,
}

async function statusesOf(answer: HttpResponse | Error, signal?: AbortSignal): Promise<readonly Call[]> {
  const calls: Call[] = []
  const telemetry: Telemetry = { ...silentTelemetry, calledProvider: (call) => calls.push(call) }
  const request = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer))
  const http = observedHttp(
    { request, stream: () => Promise.reject(new Error('no stream')), close: () => Promise.resolve() },
    'zoom',
    telemetry,
  )
  const asked = http.request({ ...REQUEST, ...(signal ? { signal } : {}) })
  if (answer instanceof Error) await assert.rejects(asked, answer)
  else assert.equal(await asked, answer)
  return calls
}

test('tells the status of every answer, and why none came, and lets both through', async () => {
  const hungUp = AbortSignal.abort(new DOMException('the client hung up', 'AbortError'))
  const timeUp = AbortSignal.abort(new DOMException('time is up', 'TimeoutError'))
  const timeout = new ProviderError('timeout', 'no answer', { answered: false })
  const rows: readonly (readonly [HttpResponse | Error, AbortSignal | undefined, Call['status']])[] = [
    [{ status: 200, headers: {}, body: Buffer.alloc(0) }, undefined, 200],
    [{ status: 429, headers: {}, body: Buffer.alloc(0) }, hungUp, 429],
    [timeout, undefined, 'timeout'],
    [timeout, timeUp, 'timeout'],
    [timeout, hungUp, 'cancelled'],
    [new ProviderError('unavailable', 'refused'), undefined, 'unreachable'],
    [
      new ProviderError('malformed-response', 'too long', { answered: true, httpStatus: 206 }),
      undefined,
      206,
    ],
    [new TypeError('Invalid URL'), undefined, 'unreachable'],
  ]
  for (const [answer, signal, status] of rows) {
    const calls = await statusesOf(answer, signal)
    assert.deepEqual(
      calls.map((call) => [call.provider, call.status]),
      [['zoom', status]],
    )
    assert.ok((calls[0]?.durationMs ?? -1) >= 0)
  }
})
