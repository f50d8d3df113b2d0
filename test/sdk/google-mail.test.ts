// The Node SDK against the whole server and the sandbox: what a program that reads Gmail does all day.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Grant, type ListMessagesQueryParams, type Message, MessageFields } from 'nylas'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { apiError, everyItem, idsOf, type Sdk, sdkFor } from './sdk-client.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
const KIM = 'kim@workspace.sandbox.example'

let sandbox: Sandbox
let app: GrantwayApp
let nylas: Sdk
let ada: Grant
let ben: Grant
/** All of Ada's mail but spam and trash, by one request, newest first. */
let mail: Message[]

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  app = await startGrantway(sandbox.endpoints)
  nylas = sdkFor(app, app.key)
  const connector = await nylas.connectors.create({
    requestBody: {
      name: 'Google',
      provider: 'google',
      settings: { clientId: 'sandbox-client-id', clientSecret: 'sandbox-client-secret' },
    },
  })
  assert.equal(connector.data.provider, 'google')
  ada = await connect(ADA, 'first')
  app.clock.advance(5_000)
  ben = await connect(BEN)
  const page = await nylas.messages.list({ identifier: ada.id, queryParams: { limit: 200 } })
  mail = page.data
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

async function connect(email: string, state?: string): Promise<Grant> {
  const { data } = await nylas.auth.customAuthentication({
    requestBody: {
      provider: 'google',
      settings: { refreshToken: sandbox.control.mintRefreshToken(email) },
      ...(state === undefined ? {} : { state }),
    },
  })
  return data
}

const list = (queryParams: ListMessagesQueryParams) =>
  nylas.messages.list({ identifier: ada.id, queryParams })

describe('grants', () => {
  test('are made, found by id and by address, and changed', async () => {
    assert.deepEqual([ada.provider, ada.email, ada.grantStatus, ada.state], ['google', ADA, 'valid', 'first'])
    for (const grantId of [ada.id, ADA]) {
      assert.equal((await nylas.grants.find({ grantId })).data.id, ada.id)
    }
    app.clock.advance(5_000)
    const changed = await nylas.grants.update({
      grantId: ada.id,
      requestBody: { settings: { refreshToken: sandbox.control.mintRefreshToken(ADA) } },
    })
    assert.deepEqual([changed.data.id, changed.data.email], [ada.id, ADA])
    assert.ok((changed.data.updatedAt ?? 0) > ada.createdAt)
    await assert.rejects(
      nylas.grants.update({
        grantId: ada.id,
        requestBody: { settings: { refreshToken: sandbox.control.mintRefreshToken(BEN) } },
      }),
      apiError(400, 'grant.reauth_email_invalid'),
    )
  })

  test('are listed by filter and order, page by page by offset', async () => {
    const ids = async (queryParams: Parameters<Sdk['grants']['list']>[0] extends infer P ? P : never) =>
      idsOf((await nylas.grants.list(queryParams)).data)
    assert.deepEqual(await ids({ queryParams: { sortBy: 'created_at', orderBy: 'asc' } }), [ada.id, ben.id])
    assert.deepEqual(await ids({ queryParams: { sortBy: 'created_at', orderBy: 'desc' } }), [ben.id, ada.id])
    assert.deepEqual(await ids({ queryParams: { email: BEN } }), [ben.id])
    assert.deepEqual(await ids({ queryParams: { since: ben.createdAt } }), [ben.id])
    assert.deepEqual(await ids({ queryParams: { before: ben.createdAt - 1 } }), [ada.id])
    assert.deepEqual(await ids({ queryParams: { grantStatus: 'invalid' } }), [])
    assert.deepEqual(await ids({ queryParams: { ip: '192.0.2.7' } }), [])
    assert.equal((await ids({ queryParams: { provider: 'google', ip: '127.0.0.1' } })).length, 2)
    assert.deepEqual(await ids({ queryParams: { provider: 'microsoft' } }), [])
    const pages = []
    for (const offset of [0, 1, 2]) {
      pages.push(await ids({ queryParams: { limit: 1, offset, sortBy: 'created_at', orderBy: 'asc' } }))
    }
    assert.deepEqual(pages, [[ada.id], [ben.id], []])
    await assert.rejects(
      nylas.grants.list({ queryParams: { limit: 0 } }),
      apiError(400, 'api.invalid_request_error', /limit/),
    )
  })

  test('that are deleted are gone, and so is their mail', async () => {
    const kim = await connect(KIM)
    assert.equal(typeof (await nylas.grants.destroy({ grantId: kim.id })).requestId, 'string')
    await assert.rejects(nylas.grants.find({ grantId: kim.id }), apiError(404, 'grant.not_found'))
    await assert.rejects(nylas.messages.list({ identifier: kim.id }), apiError(404, 'grant.not_found'))
    await assert.rejects(nylas.grants.destroy({ grantId: kim.id }), apiError(404, 'grant.not_found'))
  })

  test('of a refused token are told as the provider’s refusal', async () => {
    const refused = nylas.auth.customAuthentication({
      requestBody: { provider: 'google', settings: { refreshToken: 'made-up' } },
    })
    await assert.rejects(refused, (error: { providerError?: { error?: string } }) => {
      assert.equal(error.providerError?.error, 'invalid_grant')
      return apiError(401, 'grant.refresh_token_invalid')(error)
    })
    await assert.rejects(sdkFor(app, 'no such key').grants.list(), apiError(401, 'token.unauthorized_access'))
  })
})

describe('lists of messages', () => {
  test('give each message once, newest first, however they are paged', async () => {
    assert.ok(mail.length > 50)
    assert.deepEqual(
      mail.map(({ date }) => date),
      mail.map(({ date }) => date).toSorted((a, b) => b - a),
    )
    for (const limit of [7, 50]) {
      assert.deepEqual(idsOf(await everyItem(list({ limit }))), idsOf(mail), `limit ${limit}`)
    }
    const first = await list({ limit: 20 })
    assert.ok(first.nextCursor)
    const second = await list({ limit: 200, pageToken: first.nextCursor })
    assert.deepEqual(idsOf([...first.data, ...second.data]), idsOf(mail))
    assert.equal(second.nextCursor, undefined)
    const next = await first.next()
    assert.deepEqual(idsOf(next.value?.data ?? []), idsOf(mail.slice(20, 40)))
  })

  test('end also where the limit is larger than the maximum', async () => {
    assert.deepEqual(idsOf((await list({ limit: 1000 })).data), idsOf(mail))
  })

  const hasAddress = (message: Message, field: 'from' | 'to' | 'cc' | 'bcc', email: string) =>
    (message[field] ?? []).some((one) => one.email === email)
  const middle = () => mail[20]?.date ?? 0
  const ZOE = 'zoe@partner.example'
  const SAM = 'sam@partner.example'
  const filters: readonly (readonly [
    name: string,
    query: () => ListMessagesQueryParams,
    keeps: (message: Message) => boolean,
  ])[] = [
    ['subject', () => ({ subject: 'quarterly' }), ({ subject }) => /quarterly/i.test(subject ?? '')],
    ['from', () => ({ from: [ZOE] }), (message) => hasAddress(message, 'from', ZOE)],
    ['to', () => ({ to: [SAM] }), (message) => hasAddress(message, 'to', SAM)],
    ['the last of several', () => ({ from: [SAM, ZOE] }), (message) => hasAddress(message, 'from', ZOE)],
    ['cc', () => ({ cc: [ZOE] }), (message) => hasAddress(message, 'cc', ZOE)],
    [
      'bcc',
      () => ({ bcc: ['archive@sandbox.example'] }),
      (message) => hasAddress(message, 'bcc', 'archive@sandbox.example'),
    ],
    [
      'anyEmail',
      () => ({ anyEmail: [ZOE, 'olga@partner.example'] }),
      (message) =>
        (['from', 'to', 'cc', 'bcc'] as const).some(
          (field) => hasAddress(message, field, ZOE) || hasAddress(message, field, 'olga@partner.example'),
        ),
    ],
    ['in', () => ({ in: ['Label_2'] }), ({ folders }) => folders.includes('Label_2')],
    ['unread', () => ({ unread: true }), ({ unread }) => unread === true],
    ['read', () => ({ unread: false }), ({ unread }) => unread === false],
    ['starred', () => ({ starred: true }), ({ starred }) => starred === true],
    ['not starred', () => ({ starred: false }), ({ starred }) => starred === false],
    [
      'threadId',
      () => ({ threadId: mail.find(({ subject }) => subject?.startsWith('Re:'))?.threadId ?? '' }),
      ({ threadId }) => threadId === mail.find(({ subject }) => subject?.startsWith('Re:'))?.threadId,
    ],
    ['receivedBefore', () => ({ receivedBefore: middle() }), ({ date }) => date < middle()],
    ['receivedAfter', () => ({ receivedAfter: middle() }), ({ date }) => date > middle()],
    [
      'hasAttachment',
      () => ({ hasAttachment: true }),
      ({ attachments }) =>
        (attachments ?? []).some((file) => file.contentDisposition?.startsWith('attachment')),
    ],
    [
      'searchQueryNative',
      () => ({ searchQueryNative: 'is:unread from:zoe' }),
      (message) => message.unread === true && hasAddress(message, 'from', ZOE),
    ],
    [
      'several together',
      () => ({ unread: true, from: [ZOE], receivedBefore: middle() }),
      (message) => message.unread === true && hasAddress(message, 'from', ZOE) && message.date < middle(),
    ],
  ]
  for (const [name, query, keeps] of filters) {
    test(`are filtered as asked: ${name}`, async () => {
      const wanted = mail.filter(keeps)
      assert.ok(
        wanted.length > 0 && wanted.length < mail.length,
        `the filter tells nothing: ${wanted.length}`,
      )
      assert.deepEqual(idsOf((await list({ ...query(), limit: 200 })).data), idsOf(wanted))
      assert.deepEqual(idsOf(await everyItem(list({ ...query(), limit: 3 }))), idsOf(wanted))
    })
  }

  test('show spam and trash only where they are asked for', async () => {
    for (const folder of ['SPAM', 'TRASH']) {
      const { data } = await list({ in: [folder] })
      assert.ok(data.length > 0)
      for (const { id, folders } of data) {
        assert.ok(folders.includes(folder) && !idsOf(mail).includes(id))
      }
    }
  })

  test('give the fields that are selected', async () => {
    const { data } = await list({ select: 'id,subject', limit: 2 })
    assert.deepEqual(
      data,
      mail.slice(0, 2).map(({ id, subject }) => ({ id, subject })),
    )
    const headers = await list({ fields: MessageFields.INCLUDE_HEADERS, limit: 1 })
    assert.ok(headers.data[0]?.headers?.some(({ name }) => name === 'Message-ID'))
    assert.equal(mail[0]?.headers, undefined)
    const raw = await list({ fields: MessageFields.RAW_MIME, limit: 2 })
    assert.deepEqual(idsOf(raw.data), idsOf(mail.slice(0, 2)))
    for (const message of raw.data) {
      assert.deepEqual(Object.keys(message).toSorted(), ['grantId', 'id', 'object', 'rawMime'])
      assert.match(Buffer.from(message.rawMime ?? '', 'base64url').toString('utf8'), /^Message-ID: </m)
    }
  })

  test('refuse what Gmail can not do, with the name of the parameter', async () => {
    const invalid = (message: RegExp) => apiError(400, 'api.invalid_request_error', message)
    await assert.rejects(list({ searchQueryNative: 'x', subject: 'y' }), invalid(/search_query_native/))
    await assert.rejects(list({ from: ['zoe partner'] }), invalid(/from/))
    await assert.rejects(list({ pageToken: 'made-up' }), invalid(/page_token/))
    await assert.rejects(list({ limit: -1 }), invalid(/limit/))
    const cursor = (await list({ limit: 1 })).nextCursor ?? ''
    await assert.rejects(list({ limit: 1, unread: true, pageToken: cursor }), invalid(/page_token/))
    await assert.rejects(
      nylas.messages.list({ identifier: ben.id, queryParams: { limit: 1, pageToken: cursor } }),
      invalid(/page_token/),
    )
  })
})

describe('one message', () => {
  test('is the same as in the list, of every kind there is', async () => {
    for (const listed of mail.slice(0, 20)) {
      const { data } = await nylas.messages.find({ identifier: ada.id, messageId: listed.id })
      assert.deepEqual(data, listed)
      assert.equal(data.grantId, ada.id)
    }
  })

  test('comes with headers or as its source where asked', async () => {
    const messageId = mail[3]?.id ?? ''
    const find = (fields: MessageFields) =>
      nylas.messages.find({ identifier: ada.id, messageId, queryParams: { fields } })
    const { data } = await find(MessageFields.INCLUDE_HEADERS)
    assert.ok(data.headers?.some(({ name }) => name === 'Delivered-To'))
    const basic = (await find(MessageFields.INCLUDE_BASIC_HEADERS)).data.headers ?? []
    assert.ok(basic.length > 0 && basic.length < (data.headers?.length ?? 0))
    const tracked = (await find(MessageFields.INCLUDE_TRACKING_OPTIONS)).data
    assert.deepEqual(tracked.trackingOptions, { opens: false, threadReplies: false, links: false, label: '' })
    const raw = (await find(MessageFields.RAW_MIME)).data
    assert.deepEqual(
      Object.keys(raw)
        .filter((name) => !/^(flowId|headers)$/.test(name))
        .toSorted(),
      ['grantId', 'id', 'object', 'rawMime'],
    )
  })

  test('that is not there, or not this grant’s, is not found', async () => {
    for (const messageId of ['180100000000ffff', 'no-such-id', 'a/b', '%00', '<a/b+c#d@x>', '💌']) {
      await assert.rejects(
        nylas.messages.find({ identifier: ada.id, messageId }),
        (error: { statusCode?: number; type?: string }) => {
          assert.ok([400, 404].includes(error.statusCode ?? 0), `${messageId}: ${error.statusCode}`)
          return apiError(error.statusCode ?? 0, error.type ?? '')(error)
        },
      )
    }
    await assert.rejects(
      nylas.messages.find({ identifier: ben.id, messageId: mail[0]?.id ?? '' }),
      apiError(404, 'not_found_error'),
    )
  })
})

describe('folders', () => {
  test('are listed, paged and found', async () => {
    const folders = await everyItem(nylas.folders.list({ identifier: ada.id, queryParams: { limit: 200 } }))
    assert.deepEqual(
      idsOf(await everyItem(nylas.folders.list({ identifier: ada.id, queryParams: { limit: 4 } }))),
      idsOf(folders),
    )
    const inbox = folders.find(({ id }) => id === 'INBOX')
    assert.deepEqual([inbox?.systemFolder, inbox?.attributes], [true, ['\\Inbox']])
    for (const folder of folders) {
      const { data } = await nylas.folders.find({ identifier: ada.id, folderId: folder.id })
      assert.deepEqual([data.id, data.name, data.systemFolder], [folder.id, folder.name, folder.systemFolder])
    }
    await assert.rejects(
      nylas.folders.find({ identifier: ada.id, folderId: 'Label_99' }),
      apiError(404, 'not_found_error'),
    )
  })
})

test('a gmail.com address is detected as google', async () => {
  const { data } = await nylas.auth.detectProvider({ email: 'somebody@gmail.com' })
  assert.deepEqual(data, { emailAddress: 'somebody@gmail.com', detected: true, provider: 'google' })
})
