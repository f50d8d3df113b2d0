// The Node SDK against the whole server and the fake Graph.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CredentialType, type Grant, type ListMessagesQueryParams, type Message, MessageFields } from 'nylas'
import { type FakeGraph, startFakeGraph } from '../support/fake-graph/start-fake-graph.ts'
import { FAKE_CLIENT } from '../support/fake-graph/token-endpoint.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { apiError, everyItem, idsOf, type Sdk, sdkFor } from './sdk-client.ts'

const ADA = 'ada@contoso.example'
const BOB = 'bob@contoso.example'
const INBOX = 'AAMkFolder-in-01='

let graph: FakeGraph
let app: GrantwayApp
let nylas: Sdk
let ada: Grant
/** All of Ada's mail, by one request, newest first. */
let mail: Message[]

before(async () => {
  graph = await startFakeGraph()
  app = await startGrantway({
    GRANTWAY_MICROSOFT_TOKEN_URL: graph.endpoints.tokenUrl,
    GRANTWAY_MICROSOFT_GRAPH_URL: graph.url,
  })
  nylas = sdkFor(app, app.key)
  await nylas.connectors.create({
    requestBody: {
      name: 'Microsoft',
      provider: 'microsoft',
      settings: { ...FAKE_CLIENT, tenant: 'contoso.example' },
      scope: ['Mail.Read', 'User.Read'],
    },
  })
  const made = await nylas.auth.customAuthentication({
    requestBody: { provider: 'microsoft', settings: { refreshToken: graph.tokens.mint(ADA) } },
  })
  ada = made.data
  mail = (await list({ limit: 200 })).data
})
after(async () => {
  await app.stop()
  await graph.stop()
  assert.deepEqual(graph.violations, [])
})

const list = (queryParams: ListMessagesQueryParams) =>
  nylas.messages.list({ identifier: ada.id, queryParams })
const invalid = (message: RegExp) => apiError(400, 'api.invalid_request_error', message)

describe('lists of messages', () => {
  test('give each message once, newest first, however they are paged', async () => {
    assert.equal(mail.length, 72)
    assert.deepEqual(
      mail.map(({ date }) => date),
      mail.map(({ date }) => date).toSorted((a, b) => b - a),
    )
    for (const limit of [7, 50]) {
      assert.deepEqual(idsOf(await everyItem(list({ limit }))), idsOf(mail), `limit ${limit}`)
    }
    assert.deepEqual(idsOf((await list({ limit: 1000 })).data), idsOf(mail))
    const first = await list({ limit: 20 })
    const second = await list({ limit: 200, pageToken: first.nextCursor ?? '' })
    assert.deepEqual(idsOf([...first.data, ...second.data]), idsOf(mail))
    assert.equal(second.nextCursor, undefined)
  })

  const has = (message: Message, field: 'from' | 'to' | 'cc' | 'bcc', email: string) =>
    (message[field] ?? []).some((one) => one.email.toLowerCase() === email)
  const ZOE = 'zoe@partner.example'
  const PAT = "pat.o'neil@partner.example"
  const TEAM = 'team@contoso.example'
  const CAROL = 'carol@globex.example'
  const middle = () => mail[30]?.date ?? 0
  const thread = () => mail[25]?.threadId ?? ''
  const filters: readonly (readonly [
    name: string,
    query: () => ListMessagesQueryParams,
    keeps: (message: Message) => boolean,
  ])[] = [
    ['subject', () => ({ subject: 'report' }), ({ subject }) => /report/i.test(subject ?? '')],
    [
      'subject with quotes',
      () => ({ subject: `owner's "quote"` }),
      ({ subject }) => /owner's/.test(subject ?? ''),
    ],
    ['from', () => ({ from: [ZOE] }), (message) => has(message, 'from', ZOE)],
    ['from with a quote', () => ({ from: [PAT] }), (message) => has(message, 'from', PAT)],
    ['to', () => ({ to: [TEAM] }), (message) => has(message, 'to', TEAM)],
    ['cc', () => ({ cc: [CAROL] }), (message) => has(message, 'cc', CAROL)],
    ['bcc', () => ({ bcc: [CAROL] }), (message) => has(message, 'bcc', CAROL)],
    [
      'anyEmail',
      () => ({ anyEmail: [TEAM, CAROL] }),
      (message) =>
        (['from', 'to', 'cc', 'bcc'] as const).some(
          (field) => has(message, field, TEAM) || has(message, field, CAROL),
        ),
    ],
    ['in', () => ({ in: [INBOX] }), ({ folders }) => folders.includes(INBOX)],
    ['unread', () => ({ unread: true }), ({ unread }) => unread === true],
    ['starred', () => ({ starred: true }), ({ starred }) => starred === true],
    ['not starred', () => ({ starred: false }), ({ starred }) => starred === false],
    ['threadId', () => ({ threadId: thread() }), ({ threadId }) => threadId === thread()],
    ['receivedBefore', () => ({ receivedBefore: middle() }), ({ date }) => date < middle()],
    ['receivedAfter', () => ({ receivedAfter: middle() }), ({ date }) => date > middle()],
    [
      'hasAttachment',
      () => ({ hasAttachment: true }),
      ({ attachments }) => (attachments ?? []).some(({ isInline }) => !isInline),
    ],
    ['native KQL', () => ({ searchQueryNative: `from:${ZOE}` }), (message) => has(message, 'from', ZOE)],
    [
      'native filter',
      () => ({ searchQueryNative: '$filter=isRead eq false' }),
      ({ unread }) => unread === true,
    ],
    [
      'search and filter words together',
      () => ({ to: [TEAM], unread: true, receivedBefore: middle() }),
      (message) => has(message, 'to', TEAM) && message.unread === true && message.date < middle(),
    ],
  ]
  for (const [name, query, keeps] of filters) {
    test(`are filtered as asked: ${name}`, async () => {
      const wanted = mail.filter(keeps)
      assert.ok(
        wanted.length > 0 && wanted.length < mail.length,
        `the filter tells nothing: ${wanted.length}`,
      )
      const sorted = (items: readonly Message[]) => idsOf(items).toSorted()
      assert.deepEqual(sorted((await list({ ...query(), limit: 200 })).data), sorted(wanted))
      assert.deepEqual(sorted(await everyItem(list({ ...query(), limit: 3 }))), sorted(wanted))
    })
  }

  test('give the fields that are selected', async () => {
    const { data } = await list({ select: 'id,subject', limit: 3 })
    assert.deepEqual(
      data,
      mail.slice(0, 3).map(({ id, subject }) => ({ id, subject })),
    )
    const headers = await list({ fields: MessageFields.INCLUDE_HEADERS, limit: 1 })
    assert.ok(headers.data[0]?.headers?.some(({ name }) => name === 'Message-ID'))
    const raw = await list({ fields: MessageFields.RAW_MIME, limit: 2 })
    assert.deepEqual(idsOf(raw.data), idsOf(mail.slice(0, 2)))
    for (const message of raw.data) {
      assert.deepEqual(Object.keys(message).toSorted(), ['grantId', 'id', 'object', 'rawMime'])
    }
  })

  test('refuse what Graph can not do, with the name of the parameter', async () => {
    await assert.rejects(
      list({ searchQueryNative: 'x', subject: 'y' }),
      invalid(/search_query_native.*subject/),
    )
    await assert.rejects(list({ in: ['inbox'] }), invalid(/\bin\b/))
    await assert.rejects(list({ pageToken: 'made-up' }), invalid(/page_token/))
    await assert.rejects(list({ from: ['nobody'] }), invalid(/from/))
    const shared = { sharedFrom: 'team@contoso.example' } as ListMessagesQueryParams
    await assert.rejects(list(shared), invalid(/shared_from/))
  })
})

describe('one message', () => {
  test('is the same as in the list, of every kind there is', async () => {
    for (const listed of mail.slice(0, 24)) {
      const { data } = await nylas.messages.find({ identifier: ada.id, messageId: listed.id })
      assert.deepEqual(data, listed)
    }
    const raw = await nylas.messages.find({
      identifier: ada.id,
      messageId: mail[3]?.id ?? '',
      queryParams: { fields: MessageFields.RAW_MIME },
    })
    assert.ok((raw.data.rawMime ?? '').length > 20)
  })

  test('that is not there is not found', async () => {
    await assert.rejects(
      nylas.messages.find({ identifier: ada.id, messageId: 'AAMkMsg-9999=' }),
      apiError(404, 'not_found_error'),
    )
    for (const messageId of ['a/b', '../folders', '<a/b+c#d@x>', '%2e%2e']) {
      await assert.rejects(
        nylas.messages.find({ identifier: ada.id, messageId }),
        (error: { statusCode?: number; type?: string }) => {
          assert.ok([400, 404].includes(error.statusCode ?? 0), `${messageId}: ${error.statusCode}`)
          return apiError(error.statusCode ?? 0, error.type ?? '')(error)
        },
      )
    }
  })
})

test('folders are listed as a tree or a level, paged and found', async () => {
  const folders = (queryParams: Parameters<Sdk['folders']['list']>[0]['queryParams']) =>
    nylas.folders.list({ identifier: ada.id, ...(queryParams ? { queryParams } : {}) })
  const all = await everyItem(folders({ limit: 200 }))
  assert.equal(all.length, 9)
  assert.deepEqual(idsOf(await everyItem(folders({ limit: 2 }))), idsOf(all))
  assert.equal((await folders({ includeHiddenFolders: true })).data.length, 10)
  assert.deepEqual(
    (await folders({ singleLevel: true })).data.map(({ name }) => name).toSorted(),
    [
      'Posteingang',
      'Gesendete Elemente',
      'Entwürfe',
      'Gelöschte Elemente',
      'Junk-E-Mail',
      'Projekte',
    ].toSorted(),
  )
  assert.deepEqual(
    (await folders({ parentId: INBOX })).data.map(({ name }) => name),
    ['Rechnungen'],
  )
  for (const folder of all) {
    const { data } = await nylas.folders.find({ identifier: ada.id, folderId: folder.id })
    assert.deepEqual([data.id, data.name, data.attributes], [folder.id, folder.name, folder.attributes])
  }
  assert.deepEqual(all.find(({ id }) => id === INBOX)?.attributes, ['\\Inbox'])
  await assert.rejects(
    nylas.folders.find({ identifier: ada.id, folderId: 'AAMkFolder-99=' }),
    apiError(404, 'not_found_error'),
  )
})

test('an admin consent gives grants without a user’s token: their mail, and only theirs', async () => {
  const { data: credential } = await nylas.connectors.credentials.create({
    provider: 'microsoft',
    requestBody: {
      name: 'Contoso',
      credentialType: CredentialType.ADMINCONSENT,
      credentialData: { ...FAKE_CLIENT, tenant: 'contoso.example' },
    },
  })
  const grantOf = (emailAddress: string) =>
    nylas.auth.customAuthentication({
      requestBody: { provider: 'microsoft', settings: { emailAddress, credentialId: credential.id } },
    })
  const { data: bob } = await grantOf(BOB)
  assert.deepEqual([bob.email, bob.credentialId], [BOB, credential.id])
  const { data } = await nylas.messages.list({ identifier: bob.id })
  assert.equal(data.length, 1)
  assert.equal((await nylas.folders.list({ identifier: bob.id })).data.length, 9)
  await assert.rejects(
    nylas.messages.find({ identifier: bob.id, messageId: mail[0]?.id ?? '' }),
    apiError(404, 'not_found_error'),
  )
  await assert.rejects(grantOf('nobody@contoso.example'), apiError(400, 'grant.invalid_authentication'))
  await nylas.grants.destroy({ grantId: bob.id })
  await assert.rejects(nylas.messages.list({ identifier: bob.id }), apiError(404, 'grant.not_found'))
})
