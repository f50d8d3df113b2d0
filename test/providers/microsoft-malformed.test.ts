// What Graph answers is untrusted: whatever comes is mapped, or is a ProviderError.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { toHeaders, toMessage } from '../../src/providers/microsoft/to-wire.ts'
import { headersOfSource } from '../../src/providers/microsoft/source-headers.ts'
import { everyMailCall } from '../support/every-mail-call.ts'
import {
  type MicrosoftSession,
  type MicrosoftWorld,
  startMicrosoftWorld,
} from '../support/fake-graph/world.ts'

let world: MicrosoftWorld
let session: MicrosoftSession
before(async () => {
  world = await startMicrosoftWorld()
  session = world.session()
  await session.accessToken()
})
after(() => world.stop())

const NAMES = [
  'id',
  'conversationId',
  'subject',
  'from',
  'sender',
  'toRecipients',
  'ccRecipients',
  'replyTo',
  'receivedDateTime',
  'isRead',
  'flag',
  'parentFolderId',
  'hasAttachments',
  'bodyPreview',
  'body',
  'attachments',
  'internetMessageHeaders',
  'displayName',
  'childFolderCount',
  'totalItemCount',
]
const junk = fc.jsonValue({ maxDepth: 3 })
const resource = fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(junk, fc.string(), fc.boolean()))
const answer = fc.oneof(
  junk,
  fc.record({ value: fc.oneof(junk, fc.array(resource, { maxLength: 4 })) }),
  resource,
)

function isWhole(message: unknown): boolean {
  const { subject, body, snippet, date, folders, attachments, from, to } = message as Record<string, unknown>
  return (
    [subject, body, snippet].every((text) => typeof text === 'string') &&
    Number.isInteger(date) &&
    [folders, attachments, from, to].every(Array.isArray)
  )
}

test('any resource becomes a whole message, or none', () => {
  fc.assert(
    fc.property(resource, (given) => {
      const message = toMessage(given, 'g')
      assert.ok(
        message === undefined ? typeof given['id'] !== 'string' || given['id'] === '' : isWhole(message),
      )
      toHeaders(given)
    }),
    { numRuns: 500 },
  )
})

test('any bytes have headers, or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      for (const { name, value } of headersOfSource(Buffer.from(bytes))) {
        assert.ok(name.length > 0 && !value.includes('\n'))
      }
    }),
  )
})

test('any JSON from Graph gives a page, an object or a ProviderError', async () => {
  const calls = [
    () => world.microsoft.mail!.messages.list(session, { limit: 3, fields: 'standard' }),
    () => world.microsoft.mail!.messages.list(session, { limit: 3, fields: 'standard', threadId: 'x1' }),
    () => world.microsoft.mail!.messages.find(session, 'AAMk-1=', { fields: 'include_headers' }),
    () =>
      world.microsoft.mail!.folders.list(session, {
        limit: 3,
        includeHiddenFolders: false,
        singleLevel: false,
      }),
    () => world.microsoft.mail!.folders.find(session, 'AAMk-1=', {}),
    () => world.microsoft.identity.aliases(session),
  ]
  await fc.assert(
    fc.asyncProperty(answer, fc.integer({ min: 0, max: calls.length - 1 }), async (body, at) => {
      world.graph.intercept(() => ({ status: 200, body: JSON.stringify(body) }))
      await calls[at]!().catch((error: unknown) => assert.ok(error instanceof ProviderError, String(error)))
    }),
    { numRuns: 200 },
  )
})

test('text that is no JSON, or is cut short, is a malformed answer', async () => {
  for (const body of ['', '<html>', '{"value":[{"id":"AAMk', 'null', '[]']) {
    world.graph.intercept(() => ({ status: 200, body }))
    await assert.rejects(
      world.microsoft.mail!.messages.list(session, { limit: 3, fields: 'standard' }),
      (error) => error instanceof ProviderError && error.kind === 'malformed-response',
      body,
    )
  }
})

const IDS = {
  message: 'AAMk-1=',
  thread: 'AAQk-1=',
  folder: 'AAMkFolder-1=',
  draft: 'AAMk-2=',
  attachment: 'AAMk-3=',
}

test('whatever Graph answers, every use of mail ends, in a result or a ProviderError', async () => {
  const calls = everyMailCall(world.microsoft.mail, session, IDS)
  for (const body of [
    '',
    '<html>',
    '{"value":[{"id":"AAMk',
    '[]',
    'null',
    '{"value":5}',
    '{"value":[5,null,{"id":7}]}',
    '{"value":[{"id":"../x","conversationId":{}}]}',
    '{"value":[{"id":"AAMk-1=","conversationId":"AAQk-1="}]}',
    '{"id":7,"isDraft":true}',
    '{"responses":5}',
    '{"responses":[{"id":"0","status":"200"},{"id":"1","status":200,"body":"AA"}]}',
    '{"responses":[{"id":"0","status":200,"body":{"value":[{"id":"AAMk-1=","conversationId":7}]}}]}',
    '{"error":"text"}',
  ]) {
    world.graph.intercept(() => ({ status: 200, body }))
    await Promise.all(
      calls.map(async ([name, call]) => {
        const outcome = await call().catch((error: unknown) => error)
        assert.ok(
          outcome instanceof ProviderError || !(outcome instanceof Error),
          `${name}, ${body}: ${outcome instanceof Error ? outcome.stack : ''}`,
        )
      }),
    )
  }
})
