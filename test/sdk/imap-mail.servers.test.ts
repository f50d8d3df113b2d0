// The Node SDK against the server as users run it, and a real Dovecot with its certificate from a private CA.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Grant, type Message, MessageFields } from 'nylas'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { addressOf, behind, PASSWORDS } from '../providers/imap-world.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { startGrantway } from '../support/grantway-app.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { callApi, type ServerProcess } from '../support/server-process.ts'
import { type MailProcess, mailProcess } from './mail-process.ts'
import { apiError, everyItem, idsOf, type Sdk, sdkFor } from './sdk-client.ts'

const ADA = 'ada@sandbox.example'
const SLASHED = '<a/b+c#d@x.example>'
const PERCENT = '<per%41cent@x.example>'
// The API has Yahoo, the SDK's types don't.
const YAHOO = 'yahoo' as string as 'google'
const FOLDER = 'Проекты/日本 & Co'

let world: TestDovecot
let oauth: TestOAuthServer
let sandbox: Sandbox
let process: MailProcess
let server: ServerProcess
let nylas: Sdk
let alice: Grant
let dave: Grant

before(async () => {
  world = await startDovecot()
  oauth = await startOAuthServer()
  await world.fill(addressOf('alice'), 2000)
  await fillDave()
  sandbox = await startSandbox({ host: '127.0.0.1' })
  process = await mailProcess(world, {
    ...sandbox.endpoints,
    GRANTWAY_YAHOO_TOKEN_URL: oauth.tokenUrl,
    GRANTWAY_YAHOO_USERINFO_URL: oauth.userinfoUrl,
    GRANTWAY_YAHOO_IMAP: `localhost:${world.imapPort}`,
    GRANTWAY_YAHOO_SMTP: `localhost:${world.smtpStarttlsPort}`,
  })
  server = await process.start()
  nylas = sdkFor(server, process.key)
  await nylas.connectors.create({ requestBody: { name: 'IMAP', provider: 'imap' } })
  // The SDK's types know no connectors of these.
  for (const body of [
    { provider: 'icloud' },
    {
      provider: 'google',
      settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
    },
    { provider: 'yahoo', settings: { client_id: 'basic-app', client_secret: 'basic-app-secret' } },
  ]) {
    const made = await callApi(server, process.key, 'POST', '/v3/connectors', body)
    assert.equal(made.status, 201, JSON.stringify(made.body))
  }
  alice = await connect('alice')
  dave = await connect('dave')
})
after(async () => {
  await server.end('SIGTERM')
  await process.remove()
  await sandbox.stop()
  await oauth.stop()
  await world.stop()
})

/** Puts mail with difficult ids into a folder with a difficult name. Nothing else uses this user. */
async function fillDave(): Promise<void> {
  await behind(world, 'dave', async (client) => {
    await client.mailboxCreate(FOLDER).catch(() => {}) // it is there from an earlier run
    await client.mailboxOpen(FOLDER)
    await client.messageDelete({ all: true })
    for (const [at, id] of [SLASHED, PERCENT, '', '<plain@x.example>'].entries()) {
      const header = id === '' ? '' : `Message-ID: ${id}\r\n`
      const source = `From: a@x.example\r\n${header}Subject: mail ${at}\r\n\r\nbody ${at}\r\n`
      await client.append(FOLDER, source, [], new Date((1_700_000_000 + at * 60) * 1000))
    }
  })
}

async function connect(user: string, more: object = {}): Promise<Grant> {
  const { data } = await nylas.auth.customAuthentication({
    requestBody: {
      provider: 'imap',
      settings: {
        imapUsername: addressOf(user),
        imapPassword: PASSWORDS[user] ?? `${user}-pass`,
        imapHost: world.host,
        imapPort: world.imapsPort,
        imapTls: 'implicit',
        ...more,
      },
    },
  })
  return data
}

const foldersOf = (grant: Grant) =>
  everyItem(nylas.folders.list({ identifier: grant.id, queryParams: { limit: 200 } }))

describe('an imap grant', () => {
  test('tells who it is and where, never the password', async () => {
    assert.deepEqual([alice.email, alice.grantStatus], [addressOf('alice'), 'valid'])
    assert.ok(!JSON.stringify(alice).includes('alice-pass'))
    assert.equal((await connect('alice')).id, alice.id)
    assert.equal((await nylas.grants.find({ grantId: addressOf('alice') })).data.id, alice.id)
  })

  test('takes STARTTLS, a password beyond ASCII, and SMTP beside', async () => {
    const erin = await connect('erin', { imapPort: world.imapPort, imapTls: 'starttls' })
    assert.equal(erin.email, addressOf('erin'))
    const carol = await connect('carol', {
      smtpHost: world.host,
      smtpPort: world.smtpTlsPort,
      smtpTls: 'implicit',
    })
    assert.equal(carol.email, addressOf('carol'))
    const { data } = await nylas.messages.list({ identifier: carol.id, queryParams: { in: ['Junk'] } })
    assert.deepEqual(data, [])
  })

  test('of a wrong password, a locked user or a missing field is refused', async () => {
    const refused = (check: RegExp) => apiError(400, 'grant.invalid_authentication', check)
    await assert.rejects(connect('alice', { imapPassword: 'wrong' }), refused(/./))
    await assert.rejects(connect('locked'), refused(/./))
    await assert.rejects(
      connect('carol', {
        smtpHost: world.host,
        smtpPort: world.smtpTlsPort,
        smtpTls: 'implicit',
        smtpPassword: 'no',
      }),
      refused(/./),
    )
    const missing = apiError(400, 'api.invalid_request_error', /imap_password/)
    await assert.rejects(connect('alice', { imapPassword: '' }), missing)
    // The grant that there was is as it was.
    assert.equal((await nylas.grants.find({ grantId: alice.id })).data.grantStatus, 'valid')
  })

  test('to a private address is refused with the reason where no network is allowed', async () => {
    const strict = await startGrantway()
    try {
      const sdk = sdkFor(strict, strict.key)
      await sdk.connectors.create({ requestBody: { name: 'IMAP', provider: 'imap' } })
      const settings = { imapUsername: addressOf('alice'), imapPassword: 'alice-pass', imapHost: world.host }
      await assert.rejects(
        sdk.auth.customAuthentication({ requestBody: { provider: 'imap', settings } }),
        apiError(400, 'api.invalid_request_error', /private or reserved address/),
      )
    } finally {
      await strict.stop()
    }
  })
})

describe('messages of an imap grant', () => {
  test('come each once, newest first, to the end', async () => {
    const folders = await foldersOf(alice)
    const merged = folders.filter(({ name }) => ['INBOX', 'Sent', 'Archive'].includes(name))
    const total = merged.reduce((sum, { totalCount }) => sum + (totalCount ?? 0), 0)
    const all = await everyItem(
      nylas.messages.list({ identifier: alice.id, queryParams: { limit: 200, select: 'id,date' } }),
    )
    assert.equal(all.length, total)
    assert.deepEqual(
      all.map(({ date }) => date),
      all.map(({ date }) => date).toSorted((a, b) => b - a),
    )
    // More than the maximum: the SDK asks on until it has them.
    const many = await nylas.messages.list({
      identifier: alice.id,
      queryParams: { limit: 450, select: 'id' },
    })
    assert.deepEqual(idsOf(many.data), idsOf(all.slice(0, 450)))
  })

  test('are filtered, and found again by their ids', async () => {
    const list = async (queryParams: Parameters<Sdk['messages']['list']>[0]['queryParams']) =>
      (await nylas.messages.list({ identifier: alice.id, ...(queryParams ? { queryParams } : {}) })).data
    const recent = await list({ limit: 200 })
    const from = recent.find((message) => (message.from?.[0]?.email ?? '') !== '')?.from?.[0]?.email ?? ''
    for (const message of await list({ from: [from], limit: 20 })) {
      assert.ok(message.from?.some(({ email }) => email === from))
    }
    const checks: readonly (readonly [object, (message: Message) => boolean])[] = [
      [{ unread: true }, ({ unread }) => unread === true],
      [{ starred: true }, ({ starred }) => starred === true],
      [{ subject: 'quarterly' }, ({ subject }) => /quarterly/i.test(subject ?? '')],
      [{ receivedBefore: recent[100]?.date }, ({ date }) => date < (recent[100]?.date ?? 0)],
      [{ receivedAfter: recent[100]?.date }, ({ date }) => date > (recent[100]?.date ?? 0)],
      [{ hasAttachment: true }, ({ attachments }) => (attachments ?? []).some((file) => !file.isInline)],
    ]
    for (const [query, keeps] of checks) {
      const found = await list({ ...query, limit: 20 })
      assert.ok(found.length > 0, JSON.stringify(query))
      assert.deepEqual(
        found.filter((message) => !keeps(message)),
        [],
        JSON.stringify(query),
      )
    }
    for (const listed of recent.slice(0, 10)) {
      const { data } = await nylas.messages.find({ identifier: alice.id, messageId: listed.id })
      assert.deepEqual(
        { ...data, folders: data.folders.toSorted() },
        { ...listed, folders: listed.folders.toSorted() },
      )
    }
  })

  test('are found by ids with every sign in them, through the SDK and by hand', async () => {
    const folder = (await foldersOf(dave)).find(({ name }) => name === FOLDER)
    assert.ok(folder)
    const { data } = await nylas.messages.list({ identifier: dave.id, queryParams: { in: [folder.id] } })
    assert.deepEqual(
      data.map(({ subject }) => subject),
      ['mail 3', 'mail 2', 'mail 1', 'mail 0'],
    )
    // What an SDK would decode can't be an id.
    assert.ok(data[1]?.id.startsWith('m.') && data[2]?.id.startsWith('m.'), String(idsOf(data)))
    assert.deepEqual([data[0]?.id, data[3]?.id], ['<plain@x.example>', SLASHED])
    for (const message of data) {
      const found = await nylas.messages.find({ identifier: dave.id, messageId: message.id })
      assert.deepEqual(found.data, message)
    }
    for (const path of [
      encodeURIComponent(SLASHED),
      encodeURIComponent(SLASHED).toLowerCase(),
      '%3Ca%2Fb+c%23d@x.example%3E',
      encodeURIComponent(SLASHED.slice(1, -1)),
    ]) {
      const { status, body } = await callApi(
        server,
        process.key,
        'GET',
        `/v3/grants/${dave.id}/messages/${path}`,
      )
      assert.deepEqual([status, body.data?.subject], [200, 'mail 0'], path)
    }
    const raw = await nylas.messages.find({
      identifier: dave.id,
      messageId: SLASHED,
      queryParams: { fields: MessageFields.RAW_MIME },
    })
    assert.match(Buffer.from(raw.data.rawMime ?? '', 'base64url').toString('utf8'), /Message-ID: <a\/b\+c#d@/)
    await assert.rejects(
      nylas.messages.find({ identifier: dave.id, messageId: '<nobody@x.example>' }),
      apiError(404, 'not_found_error'),
    )
  })
})

describe('folders of an imap grant', () => {
  test('are found by id, encoded, and as a raw path', async () => {
    for (const [grant, name] of [
      [alice, 'Projects/deep/er/日本'],
      [dave, FOLDER],
    ] as const) {
      const folder = (await foldersOf(grant)).find((one) => one.name === name)
      assert.ok(folder, name)
      for (const folderId of [folder.id, name]) {
        const { data } = await nylas.folders.find({ identifier: grant.id, folderId })
        assert.deepEqual([data.id, data.name], [folder.id, name])
      }
      const { status, body } = await callApi(
        server,
        process.key,
        'GET',
        `/v3/grants/${grant.id}/folders/${encodeURI(name)}`,
      )
      assert.deepEqual([status, body.data?.id], [200, folder.id])
      const inFolder = await nylas.messages.list({ identifier: grant.id, queryParams: { in: [name] } })
      assert.ok(inFolder.data.length > 0)
      assert.ok(inFolder.data.every(({ folders }) => folders.includes(folder.id)))
    }
    await assert.rejects(
      nylas.folders.find({ identifier: alice.id, folderId: 'Nope/日本' }),
      apiError(404, 'not_found_error'),
    )
  })

  test('with a dot as separator, and with German names, are told by their attributes', async () => {
    const attributesOf = async (user: string) =>
      new Map((await foldersOf(await connect(user))).map(({ id, attributes }) => [id, attributes]))
    const bob = await attributesOf('bob')
    assert.deepEqual(bob.get('INBOX.Sent'), ['\\Sent'])
    const frieda = await foldersOf(await connect('frieda'))
    const attribute = (name: string) => frieda.find((one) => one.name === name)?.attributes
    assert.deepEqual(attribute('Entwürfe'), ['\\Drafts'])
    assert.deepEqual(attribute('Papierkorb'), ['\\Trash'])
  })
})

describe('icloud and yahoo', () => {
  test('an app password makes an icloud grant', async () => {
    const requestBody = {
      provider: 'icloud' as const,
      settings: { username: addressOf('alice'), password: 'alice-pass' },
    }
    const { data: grant } = await nylas.auth.customAuthentication({ requestBody })
    assert.deepEqual([grant.provider, grant.email], ['icloud', addressOf('alice')])
    const { data } = await nylas.messages.list({ identifier: grant.id, queryParams: { limit: 5 } })
    assert.equal(data.length, 5)
    const wrong = { ...requestBody, settings: { ...requestBody.settings, password: 'wrong' } }
    await assert.rejects(
      nylas.auth.customAuthentication({ requestBody: wrong }),
      apiError(400, 'grant.invalid_authentication'),
    )
  })

  test('a refresh token makes a yahoo grant', async () => {
    const minted = await oauth.mint(addressOf('alice'), 'basic-app')
    const { data: grant } = await nylas.auth.customAuthentication({
      requestBody: { provider: YAHOO, settings: { refreshToken: minted.refresh_token } },
    })
    assert.deepEqual([grant.provider, grant.email], ['yahoo', addressOf('alice')])
    const { data } = await nylas.messages.list({ identifier: grant.id, queryParams: { limit: 5 } })
    assert.equal(data.length, 5)
    await assert.rejects(
      nylas.auth.customAuthentication({
        requestBody: { provider: YAHOO, settings: { refreshToken: 'made-up' } },
      }),
      apiError(401, 'grant.refresh_token_invalid'),
    )
  })
})

test('grants work on after kill -9 and a new start over the same data folder', async () => {
  const { data: google } = await nylas.auth.customAuthentication({
    requestBody: { provider: 'google', settings: { refreshToken: sandbox.control.mintRefreshToken(ADA) } },
  })
  const list = async (grant: Grant) =>
    idsOf((await nylas.messages.list({ identifier: grant.id, queryParams: { limit: 5 } })).data)
  const seen = [await list(google), await list(alice)]
  const cursor = (await nylas.messages.list({ identifier: alice.id, queryParams: { limit: 5 } })).nextCursor
  await server.end('SIGKILL')
  server = await process.start()
  nylas = sdkFor(server, process.key)
  assert.deepEqual([await list(google), await list(alice)], seen)
  const next = await nylas.messages.list({
    identifier: alice.id,
    queryParams: { limit: 5, pageToken: cursor ?? '' },
  })
  assert.ok(next.data.length === 5 && next.data.every(({ id }) => !seen[1]?.includes(id)))
})
