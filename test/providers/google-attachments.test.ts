import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import type { FullMessage } from '../../src/contract/message.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { readSourcePart } from '../../src/providers/google/attachment-parts.ts'
import { decodeDataAnswer } from '../../src/providers/google/attachment-stream.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import {
  createSession,
  endpointsAt,
  type GoogleWorld,
  startGoogleWorld,
  type TestSession,
} from '../support/sandbox.ts'

let world: GoogleWorld
let session: TestSession

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  session = world.session('sandbox-refresh-token-ada')
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
})

const attachments = () => world.google.mail!.attachments!
const fails = (kind: ProviderErrorKind) => (error: unknown) =>
  error instanceof ProviderError && error.kind === kind

async function mailWithFiles(): Promise<FullMessage[]> {
  const { items } = await world.google.mail!.messages.list(session, { limit: 60, fields: 'standard' })
  return (items as FullMessage[]).filter((message) => message.attachments.length > 0)
}

test('every attachment of a list is found by its id and downloaded, byte for byte as long as it says', async () => {
  const types = new Set<string>()
  for (const message of (await mailWithFiles()).slice(0, 8)) {
    for (const attachment of message.attachments) {
      const ref = { messageId: message.id, attachmentId: attachment.id }
      assert.match(attachment.id, /^a0\./)
      assert.deepEqual(await attachments().find(session, ref), attachment)
      const opened = await attachments().open(session, ref)
      const bytes = await buffer(opened.content)
      assert.equal(bytes.length, attachment.size)
      assert.deepEqual(opened.attachment, attachment)
      types.add(attachment.content_type.split(';')[0]!)
    }
  }
  assert.deepEqual([...types].toSorted(), ['application/pdf', 'image/png', 'message/rfc822', 'text/calendar'])
})

test('the id of hosted services names the same file; others are not found', async () => {
  const message = (await mailWithFiles()).find((one) => one.attachments[0]!.filename.startsWith('Übersicht'))!
  const [file] = message.attachments
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const hosted = (size: number) =>
    `v0:${base64(file!.filename)}:${base64('application/pdf; name="y"')}:${size}`
  assert.deepEqual(
    await attachments().find(session, { messageId: message.id, attachmentId: hosted(file!.size) }),
    file,
  )
  for (const attachmentId of [hosted(1), 'a0.x', 'v0:x', '', '../x']) {
    await assert.rejects(
      attachments().find(session, { messageId: message.id, attachmentId }),
      fails('not-found'),
    )
  }
  for (const messageId of ['ffffffffffffffff', 'r999', '../x']) {
    await assert.rejects(
      attachments().open(session, { messageId, attachmentId: file!.id }),
      fails('not-found'),
    )
  }
})

const piecesOf = (text: string, size: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      Buffer.from(text.slice(at * size, (at + 1) * size)),
    ),
  )

test('data is decoded however the answer is cut and written', async () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => (at * 37) % 256))
  const url = bytes.toString('base64url')
  const padded = bytes.toString('base64').replaceAll('=', '\\u003d').replaceAll('/', '\\/')
  const answers = [
    JSON.stringify({ size: 1000, data: url }),
    `{\n  "attachmentId": "data\\"{",\n  "size": "1000",\n  "data": "${url}",\n "x": {"data": "no"}}`,
    `{"data":"${padded}","size":1}`,
  ]
  for (const answer of answers) {
    for (const size of [1, 7, 4096]) {
      const { content } = await decodeDataAnswer(piecesOf(answer, size))
      assert.deepEqual(await buffer(content), bytes)
    }
  }
  assert.equal((await decodeDataAnswer(piecesOf(answers[1]!, 50))).sizeBytes, 1000)
  const { content } = await decodeDataAnswer(piecesOf('{"size":0,"data":""}', 3))
  assert.equal((await buffer(content)).length, 0)
})

test('an answer without data, or cut off inside it, is a malformed response', async () => {
  for (const answer of ['', '<html>', '{}', '{"size":3}', '{"data":5}', `{"x":"${'y'.repeat(70_000)}"`]) {
    await assert.rejects(
      decodeDataAnswer(piecesOf(answer, 1000)),
      fails('malformed-response'),
      answer.slice(0, 20),
    )
  }
  const { content } = await decodeDataAnswer(piecesOf('{"data":"aGVsbG8', 5))
  await assert.rejects(buffer(content), fails('malformed-response'))
})

test('an attached message without bytes of its own is cut out of the source', () => {
  const inner = 'From: a@b.example\r\n\r\n<b>inner</b>'
  const source = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${inner}\r\n--b--\r\n`
  assert.equal(Buffer.from(readSourcePart(Buffer.from(source), '1')!).toString(), inner)
  assert.equal(readSourcePart(Buffer.from(source), '7'), undefined)
})

test('25 MB pass through while memory stays far below their size', async () => {
  const payload = {
    partId: '',
    mimeType: 'multipart/mixed',
    parts: [
      {
        partId: '0',
        mimeType: 'application/zip',
        filename: 'a.zip',
        body: { attachmentId: 'x', size: 25 * 2 ** 20 },
      },
    ],
  }
  const piece = 'A'.repeat(2 ** 16)
  const pieces = Math.ceil((25 * 2 ** 20 * 4) / 3 / piece.length)
  const server = createServer((request, response) => {
    request.resume()
    if (request.url === '/token') response.end('{"access_token":"t"}')
    else if (!request.url!.includes('/attachments/'))
      response.end(JSON.stringify({ id: 'ab', threadId: 'ab', payload }))
    else {
      const chunks = Array.from({ length: pieces }, () => piece)
      Readable.from(['{"data":"', ...chunks, '"}']).pipe(response)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const http = createHttpClient()
  try {
    const google = createGoogle({ endpoints: endpointsAt(base), http, clock: systemClock })
    const one = createSession(google, 'x')
    const [file] = ((await google.mail!.messages.find(one, 'ab', { fields: 'standard' })) as FullMessage)
      .attachments
    const { content } = await google.mail!.attachments!.open(one, { messageId: 'ab', attachmentId: file!.id })
    let sizeBytes = 0
    let largest = 0
    for await (const chunk of content as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      largest = Math.max(largest, chunk.length)
    }
    assert.equal(sizeBytes, (pieces * piece.length * 3) / 4)
    assert.ok(largest <= 2 ** 17)
  } finally {
    await http.close()
    await new Promise((resolve) => server.close(resolve))
  }
})
