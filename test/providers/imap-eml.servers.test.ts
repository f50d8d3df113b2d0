// Every mail fixture in a real mailbox: listed, found, as a thread, cleaned, downloaded.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { ImapFlow } from 'imapflow'
import type { FullMessage } from '../../src/contract/message.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { dovecotUser } from '../support/dovecot-user.ts'
import {
  AS_MARKDOWN,
  become,
  type Become,
  digestOf,
  emlFixtures,
  readEml,
  readGolden,
  wherever,
} from '../support/eml-fixtures.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { imapProvider } from './imap-world.ts'

const PASSWORD = 'fixtures-pass'
const FIRST_DATE = 1_700_000_000
/** Fixtures that differ in their line ends alone are the same mail once they are stored: the last of them is tried. */
const names = emlFixtures().filter(
  (name, at, all) => !all.slice(at + 1).some((other) => stored(other).equals(stored(name))),
)
const dateOf = (at: number) => FIRST_DATE + at * 60

let world: TestDovecot
let app: GrantwayApp
let provider: ReturnType<typeof imapProvider>
let grant: string
let listed: ReadonlyMap<number, FullMessage>

before(async () => {
  world = await startDovecot()
  const { address } = await dovecotUser(world, 'fixtures', PASSWORD)
  await fill(address)
  provider = imapProvider(world)
  app = await startGrantway({}, { overrides: { wrapProviders: (all) => new Map(all).set('imap', provider) } })
  await app.call('POST', '/v3/connectors', { provider: 'imap' })
  const settings = {
    imap_username: address,
    imap_password: PASSWORD,
    imap_host: world.host,
    imap_port: world.imapsPort,
    imap_tls: 'implicit',
  }
  const { status, text, body } = await app.call('POST', '/v3/connect/custom', { provider: 'imap', settings })
  assert.equal(status, 201, text)
  grant = `/v3/grants/${body.data.id}`
})
after(async () => {
  await app.stop()
  await provider.close()
  await world.stop()
})

/** Puts every fixture into INBOX, one a minute. */
async function fill(user: string): Promise<void> {
  const client = new ImapFlow({
    host: world.host,
    port: world.imapsPort,
    secure: true,
    tls: { ca: world.ca },
    auth: { user, pass: PASSWORD },
    logger: false,
  })
  await client.connect()
  await client.mailboxOpen('INBOX')
  await client.messageDelete({ all: true })
  for (const [at, name] of names.entries()) {
    assert.ok(await client.append('INBOX', stored(name), [], new Date(dateOf(at) * 1000)), name)
  }
  await client.logout()
}

/** What the mailbox holds: IMAP wants CRLF, and Dovecot takes no NUL. */
function stored(name: string): Buffer {
  return Buffer.from(
    readEml(name).toString('latin1').replace(/\r?\n/g, '\r\n').replaceAll('\0', '\x80'),
    'latin1',
  )
}

async function get(path: string) {
  const { status, text, body } = await app.call('GET', `${grant}/${path}`)
  assert.equal(status, 200, `${path}: ${text}`)
  return body
}

/** Fields by fixture that Dovecot gives otherwise than our own reader of MIME. */
type Deviations = { [name: string]: { [field: string]: unknown } }

/*
 * Dovecot reads broken MIME in its own way: boundaries that are part of others, parameters without quotes, a last line
 * without an end; an imapflow string has lost raw 8-bit bytes of a file's name. `UPDATE_GOLDEN=1` writes the file anew.
 */
const DEVIATIONS = join(import.meta.dirname, '..', 'fixtures', 'eml-dovecot.json')
const isUpdate = process.env['UPDATE_GOLDEN'] === '1'
const known = JSON.parse(readFileSync(DEVIATIONS, 'utf8')) as Deviations
const found: Deviations = {}

/** The golden file, where the mailbox holds the very bytes; else what those that it holds become. */
function expectedOf(name: string): Become {
  const held = stored(name)
  return held.equals(readEml(name)) ? readGolden(name) : become(held)
}

/** Compares fields with what is expected or known to be otherwise. @returns the fields that are neither */
function judged(name: string, got: object, expected: object): string[] {
  const failed: string[] = []
  for (const [field, value] of Object.entries(got)) {
    if (isDeepStrictEqual(value, Reflect.get(expected, field))) {
      if (known[name]?.[field] !== undefined) failed.push(`${name}: ${field} is as expected by now`)
      continue
    }
    ;(found[name] ??= {})[field] = value
    if (!isDeepStrictEqual(value, known[name]?.[field]))
      failed.push(`${name}: ${field} ${JSON.stringify(value)}`)
  }
  return isUpdate ? [] : failed
}

/** RFC 2046 section 4.1.2 makes it so, and Dovecot writes it down (for texts that name no charset). */
function withoutDefaultCharset(fields: { readonly [field: string]: unknown }): object {
  return JSON.parse(JSON.stringify(fields).replaceAll('; charset=\\"us-ascii\\"', '')) as object
}

/** What was listed, by the fixture it was. */
function eachListed(): readonly (readonly [name: string, message: FullMessage])[] {
  return names.map((name, at) => {
    const message = listed.get(dateOf(at))
    assert.ok(message, `${name} is not listed`)
    return [name, message] as const
  })
}

test('all are listed, page by page, as their golden files say', async () => {
  const all: FullMessage[] = []
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page: { data: FullMessage[]; next_cursor?: string } = await get(
      `messages?limit=50${next === '' ? '' : `&page_token=${encodeURIComponent(next)}`}`,
    )
    all.push(...page.data)
    next = page.next_cursor
  }
  assert.equal(all.length, names.length)
  assert.equal(new Set(all.map(({ id }) => id)).size, names.length)
  listed = new Map(all.map((message) => [message.date, message]))
  const failed = eachListed().flatMap(([name, message]) =>
    judged(
      name,
      withoutDefaultCharset(wherever(message)),
      withoutDefaultCharset(wherever(expectedOf(name).message)),
    ),
  )
  assert.deepEqual(failed, [])
})

test('each is found by its id, and its thread has it', async () => {
  for (const [name, message] of eachListed()) {
    const { data } = await get(`messages/${encodeURIComponent(message.id)}`)
    assert.deepEqual(data, message, name)
    const thread = await get(`threads/${encodeURIComponent(message.thread_id ?? '')}`)
    assert.ok(thread.data.message_ids.includes(message.id), name)
  }
})

test('each is cleaned as its golden file says, twenty at once', async () => {
  const failed: string[] = []
  for (const [options, field] of [
    [{}, 'conversation'],
    [AS_MARKDOWN, 'markdown'],
  ] as const) {
    const all = eachListed()
    for (let from = 0; from < all.length; from += 20) {
      const some = all.slice(from, from + 20)
      const asked = { message_id: some.map(([, { id }]) => id), ...options }
      const { status, text, body } = await app.call('PUT', `${grant}/messages/clean`, asked)
      assert.equal(status, 200, text)
      for (const [at, [name]] of some.entries()) {
        failed.push(...judged(name, { [field]: body.data[at].conversation }, expectedOf(name)))
      }
    }
  }
  assert.deepEqual(failed, [])
})

test('each attachment is downloaded whole', async () => {
  const failed: string[] = []
  for (const [name, message] of eachListed()) {
    const downloads = []
    for (const { id } of message.attachments) {
      const path = `${grant}/attachments/${encodeURIComponent(id)}/download?message_id=${encodeURIComponent(message.id)}`
      const response = await fetch(app.url + path, { headers: { authorization: `Bearer ${app.key}` } })
      assert.equal(response.status, 200, `${name}: ${id}`)
      downloads.push(digestOf(await response.bytes()))
    }
    failed.push(...judged(name, { downloads }, expectedOf(name)))
  }
  assert.deepEqual(failed, [])
  if (isUpdate) writeFileSync(DEVIATIONS, `${JSON.stringify(found, null, 2)}\n`)
})
