// The official Python SDK, unmodified, over the mail of the sandbox and of Dovecot, and the ids that only IMAP has.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { addressOf, behind } from '../providers/imap-world.ts'
import { languageTools } from '../support/language-tools.ts'
import type { SuiteWorld } from './mail-suite-types.ts'
import { startGoogleMail, startImapMail } from './mail-suite-worlds.ts'

const run = promisify(execFile)
const RUN = randomUUID().slice(0, 8)
const NESTED = `Suite ${RUN}/Sub`
const HARD_ID = `<a/b+c#d.${RUN}@x>`

let python: string
let google: SuiteWorld
let imap: Awaited<ReturnType<typeof startImapMail>>
before(async () => {
  python = (await languageTools()).python
  google = await startGoogleMail()
  imap = await startImapMail()
  await behind(imap.dovecot, imap.user, async (client) => {
    await client.mailboxCreate(NESTED)
    const source = `Message-ID: ${HARD_ID}\r\nFrom: ${addressOf(imap.user)}\r\nSubject: hard\r\n\r\nx\r\n`
    await client.append(NESTED, source)
  })
})
after(async () => {
  await behind(imap.dovecot, imap.user, async (client) => {
    await client.mailboxDelete(NESTED)
    await client.mailboxDelete(NESTED.replace('/Sub', '')).catch(() => {}) // made by the server, or never
  })
  for (const ended of await Promise.allSettled([google.stop(), imap.stop()]))
    if (ended.status === 'rejected') throw ended.reason
})

async function printedBy(
  world: SuiteWorld,
  command: string,
  parameters: readonly string[],
  more: Record<string, string>,
): Promise<readonly string[]> {
  const { stdout } = await run(command, parameters, {
    timeout: 120_000,
    env: { NYLAS_API_KEY: world.key, NYLAS_API_URI: world.url, GRANT_ID: world.grant.id, ...more },
  })
  return stdout.trim().split('\n')
}

const pythonCalls = (world: SuiteWorld, more: Record<string, string> = {}) =>
  printedBy(world, python, ['-B', join(import.meta.dirname, 'languages', 'mail_calls.py')], {
    FOLDER_NAME: `Python ${RUN}`,
    SEND_AT: String(Math.floor(Date.now() / 1000) + 3600),
    ...more,
  })

test('the Python SDK: every mail call, at Google', async () => {
  assert.equal((await pythonCalls(google)).length, 25)
})

test('the Python SDK: every mail call, at an IMAP server, with raw paths and hard ids', async () => {
  const said = await pythonCalls(imap, { NESTED_FOLDER: NESTED, MESSAGE_ID: HARD_ID })
  assert.equal(said.length, 27)
})

test('the examples of Node and Python send a message and a draft', async () => {
  const examples = join(import.meta.dirname, '..', '..', 'examples')
  for (const [command, parameters] of [
    [process.execPath, [join(examples, 'node', 'send-message.js')]],
    [python, ['-B', join(examples, 'python', 'send_message.py')]],
  ] as const) {
    const said = await printedBy(google, command, parameters, { RECIPIENT: 'ben@globex.example' })
    assert.deepEqual(
      said.map((line) => line.split(' ')[0]),
      ['message', 'draft', 'sent'],
    )
    const { nylas, grant } = google
    const { data } = await nylas.messages.find({
      identifier: grant.id,
      messageId: said[2]?.split(' ')[1] ?? '',
    })
    assert.equal(data.subject, 'A draft')
  }
})

test('a folder with a slash is found raw and encoded, a message by every encoding of its id', async () => {
  const get = async (path: string) => {
    const response = await fetch(`${imap.url}/v3/grants/${imap.grant.id}/${path}`, {
      headers: { authorization: `Bearer ${imap.key}` },
    })
    const { data } = (await response.json()) as { data?: { id: string } }
    assert.equal(response.status, 200, path)
    return data?.id
  }
  const encoded = await get(`folders/${encodeURIComponent(NESTED)}`) // Node, Java
  assert.equal(await get(`folders/${encodeURI(NESTED)}`), encoded) // Python, Ruby
  const { nylas, grant } = imap
  const { data } = await nylas.messages.find({ identifier: grant.id, messageId: HARD_ID })
  assert.equal(data.id, HARD_ID)
  for (const path of [
    encodeURIComponent(HARD_ID), // Node, Java
    encodeURIComponent(HARD_ID).toLowerCase(),
  ])
    assert.equal(await get(`messages/${path}`), HARD_ID, path)
})

test('a message that moves on an IMAP server keeps its id', async () => {
  const { nylas, grant } = imap
  const { data: folders } = await nylas.folders.list({ identifier: grant.id, queryParams: { limit: 200 } })
  const archive = folders.find(({ attributes }) => attributes?.includes('\\Archive'))
  assert.ok(archive)
  const messageId = HARD_ID
  const requestBody = { folders: [archive.id] }
  const { data: moved } = await nylas.messages.update({ identifier: grant.id, messageId, requestBody })
  assert.deepEqual([moved.id, moved.folders], [HARD_ID, [archive.id]])
  const { data: found } = await nylas.messages.find({ identifier: grant.id, messageId })
  assert.deepEqual(found.folders, [archive.id])
  await nylas.messages.destroy({ identifier: grant.id, messageId })
})
