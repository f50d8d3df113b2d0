import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import type { FullMessage } from '../../src/contract/message.ts'
import type { MessageQuery } from '../../src/core/ports/mail.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

const ADA = 'sandbox-refresh-token-ada'
let world: GoogleWorld
let session: TestSession

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  session = world.session(ADA)
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
  assert.ok(world.validator.knownCount() > 20)
})

const list = (query: Partial<MessageQuery>) =>
  world.google.mail!.messages.list(session, { limit: 50, fields: 'standard', ...query })

async function listAll(query: Partial<MessageQuery>, limit: number): Promise<FullMessage[]> {
  const all: FullMessage[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 200; pages += 1) {
    const page = await list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
    assert.ok(page.items.length <= limit)
    all.push(...(page.items as FullMessage[]))
    cursor = page.nextCursor
    if (cursor === undefined) return all
  }
  throw new Error('the list does not end')
}

const fails =
  (kind: ProviderErrorKind, more: (error: ProviderError) => void = () => {}) =>
  (error: unknown) => {
    assert.ok(error instanceof ProviderError, String(error))
    assert.equal(error.kind, kind)
    more(error)
    return true
  }

test('a page of 50 takes one list and one batch', async () => {
  await session.accessToken()
  const from = world.validator.seen.length
  const page = await list({})
  assert.equal(page.items.length, 50)
  assert.ok(page.nextCursor)
  const calls = world.validator.seen
    .slice(from)
    .map(({ method, url }) => `${method} ${new URL(url).pathname}`)
  assert.deepEqual(calls, ['GET /gmail/v1/users/me/messages', 'POST /batch/gmail/v1'])
  assert.deepEqual(session.spent(), { requests: 2, units: 5 + 50 * 20 })
})

test('paging to the end yields each message once, newest first', async () => {
  const whole = await listAll({}, 200)
  assert.ok(whole.length > 50)
  for (const limit of [1, 7, 50]) {
    const all = await listAll({}, limit)
    assert.deepEqual(
      all.map(({ id }) => id),
      whole.map(({ id }) => id),
    )
  }
  assert.deepEqual(
    whole.map(({ date }) => date),
    whole.map(({ date }) => date).toSorted((one, other) => other - one),
  )
})

const FILTERS: readonly [string, Partial<MessageQuery>, (message: FullMessage) => boolean][] = [
  ['subject', { subject: 'DÉJÀ' }, (m) => m.subject.toLowerCase().includes('déjà')],
  ['from', { from: 'Zoe@partner.example' }, (m) => m.from.some((a) => a.email === 'zoe@partner.example')],
  ['to', { to: 'ada@sandbox.example' }, (m) => m.to.some((a) => a.email === 'ada@sandbox.example')],
  ['cc', { cc: 'team@partner.example' }, (m) => m.cc.some((a) => a.email === 'team@partner.example')],
  ['bcc', { bcc: 'archive@sandbox.example' }, (m) => m.bcc.length > 0],
  [
    'any_email',
    { anyEmail: ['team@partner.example', 'sam@partner.example'] },
    (m) => [...m.from, ...m.to, ...m.cc].some((a) => /^(team|sam)@/.test(a.email)),
  ],
  ['unread', { unread: true }, (m) => m.unread],
  ['not unread', { unread: false }, (m) => !m.unread],
  ['starred', { starred: true }, (m) => m.starred],
  ['not starred', { starred: false }, (m) => !m.starred],
  [
    'has_attachment',
    { hasAttachment: true },
    (m) => m.attachments.some((a) => !a.is_inline && a.filename !== ''),
  ],
  [
    'no attachment',
    { hasAttachment: false },
    (m) => !m.attachments.some((a) => !a.is_inline && a.filename !== ''),
  ],
  ['in', { in: 'Label_2' }, (m) => m.folders.includes('Label_2')],
]
for (const [name, query, wanted] of FILTERS) {
  test(`filters by ${name}, page by page`, async () => {
    const whole = await listAll({}, 200)
    const expected = whole.filter(wanted).map(({ id }) => id)
    assert.ok(expected.length > 0 && expected.length < whole.length + 1)
    assert.deepEqual(
      (await listAll(query, 3)).map(({ id }) => id),
      expected,
    )
  })
}

test('received bounds are strict, spam and trash show only where asked for', async () => {
  const whole = await listAll({}, 200)
  const [newer, older] = [whole[3]!, whole[9]!]
  const between = await listAll({ receivedBefore: newer.date, receivedAfter: older.date }, 2)
  assert.deepEqual(
    between.map(({ id }) => id),
    whole.slice(4, 9).map(({ id }) => id),
  )
  assert.ok(whole.every(({ folders }) => !folders.includes('SPAM') && !folders.includes('TRASH')))
  assert.ok((await listAll({ in: 'SPAM' }, 5)).length > 0)
})

test('lists a thread, filtered and paged', async () => {
  const whole = await listAll({}, 200)
  const reply = whole.find(({ subject }) => subject.startsWith('Re: '))!
  const thread = whole.filter((message) => message.thread_id === reply.thread_id)
  assert.ok(thread.length >= 2)
  assert.deepEqual(
    (await listAll({ threadId: reply.thread_id }, 1)).map(({ id }) => id),
    thread.map(({ id }) => id),
  )
  const sent = await listAll({ threadId: reply.thread_id, in: 'SENT' }, 5)
  assert.ok(sent.length > 0 && sent.every(({ folders }) => folders.includes('SENT')))
  assert.deepEqual(await listAll({ threadId: 'ffffffffffffffff' }, 5), [])
})

test('a thread is newest first within one second too', async () => {
  const deliver = (at: number) =>
    world.sandbox.control.deliver(
      'ada@sandbox.example',
      `From: bot@x.example\r\nTo: ada@sandbox.example\r\nSubject: Fast\r\nMessage-ID: <fast-${at}@x.example>\r\nReferences: <fast-0@x.example>\r\n\r\n${at}`,
    )
  const ids = [0, 1, 2].map(deliver)
  const [newest] = await listAll({ subject: 'fast' }, 1)
  assert.equal(newest?.id, ids[2])
  assert.deepEqual(
    (await listAll({ threadId: newest!.thread_id }, 2)).map(({ id }) => id),
    ids.toReversed(),
  )
  for (const id of ids) await world.google.mail!.messageChanges!.delete(session, id, { hard: false })
})

test('native search goes alone; what Google lacks is refused', async () => {
  const found = await listAll({ searchQueryNative: 'from:sam is:unread' }, 5)
  assert.ok(found.length > 0 && found.every((m) => m.unread && m.from[0]?.email === 'sam@partner.example'))
  await assert.rejects(list({ searchQueryNative: 'x', unread: true }), fails('invalid-request'))
  await assert.rejects(list({ sharedFrom: 'a@b.example' }), fails('unsupported'))
  await assert.rejects(list({ sharedFolderId: 'x' }), fails('unsupported'))
  await assert.rejects(
    list({ in: 'inbox' }),
    fails('invalid-request', (error) => assert.match(error.message, /^in names no label/)),
  )
  await assert.rejects(list({ cursor: 'bm9uc2Vuc2U' }), fails('invalid-request'))
})

test('finds one message in every form of fields', async () => {
  const { messages } = world.google.mail!
  const id = '180100000000001e' // number 30: a reply in plain text and HTML
  const whole = (await messages.find(session, id, { fields: 'standard' })) as FullMessage
  assert.equal(whole.grant_id, 'grant-1')
  assert.match(whole.body, /<p>Hello, this is message 30/)
  assert.match(whole.snippet, /it's all here|Grüße & thanks/)
  assert.equal(whole.headers, undefined)
  const headers = (await messages.find(session, id, { fields: 'include_headers' })) as FullMessage
  assert.ok(headers.headers!.some(({ name }) => name === 'Delivered-To'))
  const basic = (await messages.find(session, id, { fields: 'include_basic_headers' })) as FullMessage
  assert.deepEqual(
    basic.headers!.map(({ name }) => name),
    ['Message-ID', 'In-Reply-To', 'References'],
  )
  const raw = await messages.find(session, id, { fields: 'raw_mime' })
  assert.deepEqual(Object.keys(raw).toSorted(), ['grant_id', 'id', 'object', 'raw_mime'])
  assert.match(
    Buffer.from((raw as { raw_mime: string }).raw_mime, 'base64url').toString(),
    /^Delivered-To: ada@/,
  )
  await assert.rejects(messages.find(session, 'ffffffffffffffff', { fields: 'standard' }), fails('not-found'))
  await assert.rejects(messages.find(session, '../../x', { fields: 'standard' }), fails('not-found'))
})

test('lists sources, filtered too', async () => {
  const page = await list({ fields: 'raw_mime', from: 'sam@partner.example', limit: 3 })
  assert.equal(page.items.length, 3)
  for (const item of page.items) {
    assert.match(
      Buffer.from((item as { raw_mime: string }).raw_mime, 'base64url').toString(),
      /sam@partner\.example/,
    )
  }
})

test('maps attachments, inline images, invitations and attached messages', async () => {
  const whole = await listAll({}, 200)
  const pdf = whole.find((m) => m.attachments.some((a) => a.content_type.startsWith('application/pdf')))!
  assert.match(pdf.attachments[0]!.filename, /^Übersicht \d+\.pdf$/)
  assert.equal(pdf.attachments[0]!.is_inline, false)
  const related = whole.find((m) => m.attachments.some((a) => a.is_inline))!
  assert.ok(related.body.includes(`cid:${related.attachments[0]!.content_id}`))
  const invited = whole.find((m) => m.attachments.some((a) => a.content_type.startsWith('text/calendar')))!
  assert.deepEqual(
    invited.attachments.map((a) => a.content_type.split(';')[0]),
    ['text/calendar', 'message/rfc822'],
  )
  // The header says iso-8859-1; Gmail's bytes are UTF-8 all the same.
  const recoded = whole.find((m) => m.id.endsWith('07'))!
  assert.match(recoded.body, /Grüße/)
})

test('select asks Gmail for less', async () => {
  session = { ...session, grantId: grantId('of-select') } // nothing was read for it before
  const from = world.validator.seen.length
  await list({ select: ['id', 'snippet'], limit: 2 })
  await list({ select: ['id', 'subject'], limit: 2 })
  const batches = world.validator.seen.slice(from).filter(({ url }) => url.includes('/batch/'))
  assert.match(batches[0]!.body, /format=minimal/)
  assert.match(batches[1]!.body, /format=metadata/)
})

test('a part that fails alone is tried again; the page stays whole', async () => {
  const whole = await list({ limit: 10 })
  world.sandbox.control.fail({ target: 'part', mode: '429' })
  world.sandbox.control.fail({ target: 'part', mode: '503' })
  const page = await list({ limit: 10 })
  assert.deepEqual(page.items, whole.items)
  world.sandbox.control.fail({ target: 'part', mode: '429', times: 20 })
  await assert.rejects(list({ limit: 10 }), fails('rate-limited'))
  world.sandbox.control.fail({ target: 'part', mode: '429', retryAfterSeconds: 77 })
  await assert.rejects(
    list({ limit: 10 }),
    fails('rate-limited', (error) => assert.equal(error.details.retryAfterSeconds, 77)),
  )
})

test('a message that is gone by the time it is read is left out, and the page filled up', async () => {
  const whole = await list({ limit: 11 })
  world.sandbox.control.fail({ target: 'part', mode: '404' })
  assert.deepEqual((await list({ limit: 10 })).items, whole.items.slice(1))
})

test('an expired access token is replaced once', async () => {
  await session.accessToken()
  world.sandbox.control.expireAccessTokens()
  assert.equal((await list({ limit: 2 })).items.length, 2)
  assert.equal(session.replaced(), 1)
})

test('a token that is refused again is access-refused', async () => {
  world.sandbox.control.configure({ accessTokenSeconds: -1 })
  await assert
    .rejects(list({ limit: 2 }), fails('access-refused'))
    .finally(() => world.sandbox.control.configure({ accessTokenSeconds: 3599 }))
  assert.equal(session.replaced(), 1)
})

test('a passing 503 is retried, a throttle is passed on, a captive portal is a malformed response', async () => {
  await session.accessToken()
  const { control } = world.sandbox
  control.fail({ target: 'api', mode: '503', times: 2 })
  assert.equal((await list({ limit: 2 })).items.length, 2)
  control.fail({ target: 'api', mode: '503', times: 3 })
  await assert.rejects(list({ limit: 2 }), fails('unavailable'))
  control.fail({ target: 'api', mode: '429', retryAfterSeconds: 5 })
  await assert.rejects(
    list({ limit: 2 }),
    fails('rate-limited', (e) => assert.equal(e.details.retryAfterSeconds, 5)),
  )
  control.fail({ target: 'api', mode: 'html' })
  await assert.rejects(list({ limit: 2 }), fails('malformed-response'))
  control.fail({ target: 'api', mode: 'drop-before' })
  await assert.rejects(list({ limit: 2 }), fails('unavailable'))
})

test('folders carry counts, colours and attributes, page by page', async () => {
  const { folders } = world.google.mail!
  const base = { includeHiddenFolders: false, singleLevel: false }
  const whole = (await folders.list(session, { limit: 200, ...base })).items
  const byId = new Map(whole.map((folder) => [folder.id, folder]))
  assert.deepEqual(byId.get('INBOX')!.attributes, ['\\Inbox'])
  assert.equal(byId.get('INBOX')!.system_folder, true)
  assert.ok(byId.get('INBOX')!.total_count! > byId.get('INBOX')!.unread_count!)
  assert.equal(byId.get('Label_2')!.name, 'Projects/Größe & Maß')
  assert.equal(byId.get('Label_2')!.background_color, '#16a765')
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await folders.list(session, {
      limit: 5,
      ...base,
      ...(cursor === undefined ? {} : { cursor }),
    })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  assert.deepEqual(
    ids,
    whole.map(({ id }) => id),
  )
  assert.deepEqual(await folders.find(session, 'SENT', {}), byId.get('SENT'))
  await assert.rejects(folders.find(session, 'Label_99', {}), fails('not-found'))
  await assert.rejects(folders.find(session, '..', {}), fails('not-found'))
})
