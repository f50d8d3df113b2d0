// Every mail fixture in a mailbox of Gmail's sandbox: listed, found, as a thread, cleaned, downloaded.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { FullMessage } from '../../src/contract/message.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { AS_MARKDOWN, digestOf, emlFixtures, readEml, readGolden } from '../support/eml-fixtures.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

const USER = 'ada@sandbox.example'
const names = emlFixtures()
let sandbox: Sandbox
let app: GrantwayApp
let grant: string
const ids: string[] = []
const byId = new Map<string, FullMessage>()

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  for (const name of names) ids.push(sandbox.control.deliver(USER, readEml(name)))
  app = await startGrantway(sandbox.endpoints)
  await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
  })
  const settings = { refresh_token: sandbox.control.mintRefreshToken(USER) }
  const { status, text, body } = await app.call('POST', '/v3/connect/custom', {
    provider: 'google',
    settings,
  })
  assert.equal(status, 201, text)
  grant = `/v3/grants/${body.data.id}`
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

/** Runs a check on every fixture, some at once. */
async function forEach(check: (name: string, message: FullMessage) => Promise<void> | void): Promise<void> {
  for (let from = 0; from < names.length; from += 20) {
    const some = names.slice(from, from + 20)
    await Promise.all(
      some.map(async (name, at) => {
        const message = byId.get(ids[from + at] ?? '')
        assert.ok(message, `${name} is not listed`)
        await check(name, message)
      }),
    )
  }
}

/** What Gmail gives as it stands in the source; texts and structure are its own reading. */
function told({ subject, from, cc, bcc, reply_to, attachments }: FullMessage) {
  // Attached messages without a name get one in an IMAP mailbox alone.
  const files = attachments
    .map(({ filename }) => filename)
    .filter((name) => !['', 'message.eml'].includes(name))
  return { subject, from, cc, bcc, reply_to, files }
}

test('all are listed, page by page, with the addresses, subjects and files of their golden files', async () => {
  for (let next: string | undefined = ''; next !== undefined && byId.size < names.length; ) {
    const page = next === '' ? '' : `&page_token=${encodeURIComponent(next)}`
    const { status, text, body } = await app.call('GET', `${grant}/messages?limit=100${page}`)
    assert.equal(status, 200, text)
    for (const message of body.data) byId.set(message.id, message)
    next = body.next_cursor
  }
  await forEach((name, message) => assert.deepEqual(told(message), told(readGolden(name).message), name))
})

test('each is found, and its thread has it', async () => {
  await forEach(async (name, message) => {
    const { body } = await app.call('GET', `${grant}/messages/${message.id}`)
    assert.deepEqual(body.data, message, name)
    const thread = await app.call('GET', `${grant}/threads/${message.thread_id}`)
    assert.ok(thread.body.data.message_ids.includes(message.id), name)
  })
})

test('all are cleaned, twenty at once', async () => {
  for (let from = 0; from < ids.length; from += 20) {
    const asked = { message_id: ids.slice(from, from + 20), ...AS_MARKDOWN }
    const { status, text, body } = await app.call('PUT', `${grant}/messages/clean`, asked)
    assert.equal(status, 200, text)
    for (const { conversation } of body.data) assert.equal(typeof conversation, 'string')
  }
})

test('each attachment is downloaded whole', async () => {
  const differing: string[] = []
  await forEach(async (name, message) => {
    const downloads = []
    for (const { id } of message.attachments) {
      const path = `${grant}/attachments/${encodeURIComponent(id)}/download?message_id=${message.id}`
      const response = await fetch(app.url + path, { headers: { authorization: `Bearer ${app.key}` } })
      assert.equal(response.status, 200, `${name}: ${id}`)
      downloads.push(digestOf(await response.bytes()))
    }
    if (!isDeepStrictEqual(downloads, readGolden(name).downloads)) differing.push(name)
  })
  assert.deepEqual(differing, [])
})
