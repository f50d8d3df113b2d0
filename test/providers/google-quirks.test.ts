import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../src/kit/clock.ts'
import type { JsonObject } from '../../src/kit/json.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { readBatch } from '../../src/providers/google/batch-format.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import { labelToFolder } from '../../src/providers/google/folder-to-wire.ts'
import { messageToWire } from '../../src/providers/google/to-wire.ts'
import { renderMessage } from '../../src/sandbox/gmail/render.ts'
import { seedUsers } from '../../src/sandbox/seed/users.ts'
import { everyMailCall } from '../support/every-mail-call.ts'
import { createSession, endpointsAt } from '../support/sandbox.ts'

const samples = seedUsers()[0]!
  .messages.slice(0, 12)
  .map((message) => renderMessage(message, 'full', []) as JsonObject)
const anything = fc.anything({ maxDepth: 2 }).filter((value) => typeof value !== 'bigint')

/** Puts garbage in place of some value, at any depth. */
function mutate(value: unknown, path: readonly number[], garbage: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined || typeof value !== 'object' || value === null) return garbage
  const keys = Object.keys(value)
  const key = keys[step % Math.max(1, keys.length)]
  if (key === undefined) return garbage
  const copy: { [name: string]: unknown } | unknown[] = Array.isArray(value)
    ? [...(value as unknown[])]
    : { ...value }
  Object.assign(copy, { [key]: mutate((value as { [name: string]: unknown })[key], rest, garbage) })
  return copy
}

test('a broken message resource still gives a whole message', () => {
  fc.assert(
    fc.property(fc.nat(11), fc.array(fc.nat(20), { maxLength: 7 }), anything, (sample, path, garbage) => {
      const resource = mutate(samples[sample], path, garbage)
      const object = (
        typeof resource === 'object' && resource !== null && !Array.isArray(resource) ? resource : {}
      ) as JsonObject
      const { message } = messageToWire(object, 'g', 'include_headers')
      for (const name of ['id', 'thread_id', 'subject', 'snippet', 'body'] as const)
        assert.equal(typeof message[name], 'string')
      for (const name of ['from', 'to', 'cc', 'bcc', 'reply_to'] as const)
        assert.ok(message[name].every(({ email }) => typeof email === 'string'))
      assert.ok(Number.isSafeInteger(message.date) && message.date >= 0)
      assert.ok(message.folders.every((label) => typeof label === 'string'))
      assert.ok(
        message.attachments.every(
          (file) => Number.isInteger(file.size) && file.size >= 0 && typeof file.id === 'string',
        ),
      )
      assert.equal(typeof labelToFolder(object, 'g').name, 'string')
    }),
    { numRuns: 400 },
  )
})

const PARTS = [
  'Content-Type: application/http\r\nContent-ID: <response-part-1>\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n{"n":1}',
  'Content-Type: application/http\r\nContent-ID: <response-part-0>\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n{}',
]
const batchOf = (parts: readonly string[]) => `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`
const TYPE = 'multipart/mixed; boundary="b"'

test('batch parts are found by their id, in any order, with either line end', () => {
  for (const text of [batchOf(PARTS), batchOf(PARTS.toReversed()), batchOf(PARTS).replaceAll('\r\n', '\n')]) {
    const read = readBatch(TYPE, text, 3)
    assert.deepEqual(
      read.map((part) => part?.status),
      [404, 200, undefined],
    )
    assert.equal(read[1]!.body, '{"n":1}')
  }
})

test('a batch answer of another form is a malformed response', () => {
  const cases: [string | undefined, string, number][] = [
    [undefined, batchOf(PARTS), 2],
    ['text/html', '<html>', 2],
    [TYPE, batchOf(PARTS).slice(0, -5), 2],
    [TYPE, '', 2],
    [TYPE, batchOf([...PARTS, PARTS[0]!]), 2],
    [TYPE, batchOf(PARTS), 1],
    [TYPE, batchOf(['Content-Type: x\r\n\r\nnot http']), 1],
    [TYPE, batchOf([PARTS[0]!.replace('response-part-1', 'other')]), 2],
  ]
  for (const [type, text, count] of cases) {
    assert.throws(
      () => readBatch(type, text, count),
      (error) => error instanceof ProviderError && error.kind === 'malformed-response',
    )
  }
  fc.assert(
    fc.property(fc.string(), fc.nat(200), (garbage, at) => {
      const text = batchOf(PARTS)
      try {
        readBatch(TYPE, text.slice(0, at) + garbage + text.slice(at), 2)
      } catch (error) {
        assert.ok(error instanceof ProviderError)
      }
    }),
  )
})

const IDS = { message: 'a', thread: 't1', folder: 'Label_1', draft: 'r1', attachment: 'a0.MToz' }

test('whatever Gmail answers, every use of mail ends, in a result or a ProviderError', async () => {
  let answer = ''
  const server = createServer((request, response) => {
    const isToken = request.url === '/token'
    request.resume()
    response.setHeader('content-type', request.url?.startsWith('/batch/') ? TYPE : 'application/json')
    response.end(isToken ? '{"access_token":"t"}' : answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const http = createHttpClient()
  try {
    const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    const google = createGoogle({ endpoints: endpointsAt(base), http, clock: systemClock })
    const session = createSession(google, 'x')
    const answers = [
      '',
      '[]',
      'null',
      '{',
      '{"messages":5}',
      '{"messages":[{"id":7}]}',
      '{"messages":[{"id":"a/../b"}]}',
      '{"messages":[{"id":"a"}]}',
      '{"nextPageToken":"loop"}',
      '<html>',
      '{"labels":[{"id":"x"}]}',
      '{"id":7,"threadId":{},"payload":[],"message":5}',
      '{"id":"a","threadId":"t1","payload":{"parts":[5,null,{"partId":"1","body":7}]},"messages":[null]}',
      '{"id":"a","message":{"id":"b"},"messages":[{"id":"a","payload":{"headers":"x"}}]}',
      '{"drafts":[{"id":"r1"},{"message":7}],"threads":[{"id":"t1"},7]}',
      '{"error":"text"}',
      batchOf(PARTS),
    ]
    const calls = everyMailCall(google.mail, session, IDS)
    for (const one of answers) {
      answer = one
      await Promise.all(
        calls.map(async ([name, call]) => {
          const outcome = await call().catch((error: unknown) => error)
          assert.ok(
            outcome instanceof ProviderError || !(outcome instanceof Error),
            `${name}, ${one}: ${outcome instanceof Error ? outcome.stack : ''}`,
          )
        }),
      )
    }
  } finally {
    await http.close()
    await new Promise((resolve) => server.close(resolve))
  }
})
