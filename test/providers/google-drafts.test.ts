// Drafts at Gmail through the port, over HTTP against the sandbox; every request is judged by Google's own description.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullDraft, FullMessage, RawMessage } from '../../src/contract/message.ts'
import type { DraftQuery, DraftsPort, OutgoingDraft } from '../../src/core/ports/outgoing.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { file, noise } from '../support/hard-messages.ts'
import { assertSameMail } from '../support/same-mail.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
let world: GoogleWorld
let session: TestSession
let number = 0

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  session = world.session('sandbox-refresh-token-ada')
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
  assert.ok(world.validator.knownCount() > 50)
})

const port = (): DraftsPort => {
  const drafts = world.google.mail?.drafts
  assert.ok(drafts)
  return drafts
}
function draft(more: Partial<OutgoingDraft> = {}): OutgoingDraft {
  number += 1
  return {
    to: [{ email: BEN, name: 'Ben' }],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: `Draft ${number}`,
    body: '<p>body</p>',
    isPlaintext: false,
    attachments: [],
    headers: [],
    messageId: `<draft-${number}@testworld.example>`,
    date: 1_790_000_000,
    ...more,
  }
}
const create = (more: Partial<OutgoingDraft> = {}) => port().create(session, draft(more))
const find = (id: string) => port().find(session, id, {})
const read = async (id: string, fields: 'include_headers' | 'raw_mime' = 'include_headers') =>
  world.google.mail!.messages.find(session, id, { fields })
async function messageIdOf(made: FullDraft): Promise<string> {
  const { items } = await world.google.mail!.messages.list(session, {
    limit: 200,
    fields: 'standard',
    in: 'DRAFT',
  })
  const found = (items as FullMessage[]).find(({ subject }) => subject === made.subject)
  assert.ok(found)
  return found.id
}
async function sourceOf(made: FullDraft): Promise<Buffer> {
  const raw = (await read(await messageIdOf(made), 'raw_mime')) as RawMessage
  return Buffer.from(raw.raw_mime, 'base64url')
}
async function listAll(query: Partial<DraftQuery>, limit = 50): Promise<FullDraft[]> {
  const all: FullDraft[] = []
  let cursor: string | undefined
  do {
    const page = await port().list(session, { limit, ...query, ...(cursor === undefined ? {} : { cursor }) })
    assert.ok(page.items.length <= limit)
    all.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return all
}
const fails = (kind: ProviderErrorKind) => (error: unknown) => {
  assert.ok(error instanceof ProviderError, String(error))
  assert.equal(error.kind, kind)
  return true
}

test('a draft is what it was made of, under the id of the draft', async () => {
  const made = await create({
    cc: [{ email: 'c@x.example' }],
    bcc: [{ email: 'd@x.example' }],
    starred: true,
    attachments: [file('a.txt', 'text/plain', 'note')],
  })
  assert.match(made.id, /^r/)
  const { object, starred, unread, from, to, cc, bcc, body, attachments, folders } = made
  assert.deepEqual([object, starred, unread, body], ['draft', true, false, '<p>body</p>'])
  assert.deepEqual(from, [{ email: ADA, name: 'Ada Moreau' }])
  assert.deepEqual(
    [to, cc, bcc],
    [[{ email: BEN, name: 'Ben' }], [{ email: 'c@x.example' }], [{ email: 'd@x.example' }]],
  )
  assert.deepEqual(
    attachments.map(({ filename }) => filename),
    ['a.txt'],
  )
  assert.deepEqual(folders.toSorted(), ['DRAFT', 'STARRED'])
  assert.deepEqual(await find(made.id), made)
})

test('a draft without anybody to send to can be made and found', async () => {
  const made = await create({ to: [], subject: '', body: '' })
  assert.deepEqual([made.to, made.subject], [[], ''])
  assert.deepEqual(await find(made.id), made)
})

test('a draft is found by the id of its message, too', async () => {
  const made = await create()
  assert.deepEqual(await find(await messageIdOf(made)), made)
  const changed = await port().update(session, await messageIdOf(made), { body: 'new' })
  assert.deepEqual([changed.id, changed.body], [made.id, 'new'])
  await port().delete(session, await messageIdOf(changed))
  await assert.rejects(find(made.id), fails('not-found'))
})

test('what is no draft is not found', async () => {
  const sent = await world.google.mail!.send!.send(session, draft(), { withHeaders: false })
  for (const id of [sent.id, 'r-99', '00000000000000ff', '..', 'a b']) {
    await assert.rejects(find(id), fails('not-found'))
    await assert.rejects(port().update(session, id, { subject: 'x' }), fails('not-found'))
    await assert.rejects(port().delete(session, id), fails('not-found'))
    await assert.rejects(port().send(session, id), fails('not-found'))
  }
  await assert.rejects(port().find(session, 'r-1', { sharedFrom: BEN }), fails('unsupported'))
})

test('a change leaves what is not given: addresses, texts, files, headers, thread, star', async () => {
  const root = await world.google.mail!.send!.send(session, draft({ subject: 'Kept' }), {
    withHeaders: false,
  })
  const before = draft({
    subject: 'Re: Kept',
    from: { email: ADA, name: 'Ada' },
    bcc: [{ email: 'd@x.example', name: 'Dé' }],
    replyTo: [{ email: 'r@x.example' }],
    body: '<p>Grüße <img src="cid:one"></p>',
    attachments: [
      file('Übersicht.bin', 'application/octet-stream', noise(3000)),
      file('p.png', 'image/png', noise(99, 'p'), { contentId: 'one', isInline: true }),
    ],
    headers: [{ name: 'X-Own', value: 'Grüße' }],
    replyToMessageId: root.id,
    starred: true,
  })
  const made = await port().create(session, before)
  assert.equal(made.thread_id, root.threadId)
  const changed = await port().update(session, made.id, { cc: [{ email: 'c@x.example' }] })
  assert.deepEqual(
    [changed.id, changed.thread_id, changed.starred, changed.date >= made.date],
    [made.id, root.threadId, true, true],
  )
  await assertSameMail(
    await sourceOf(changed),
    { ...before, cc: [{ email: 'c@x.example' }] },
    { withBcc: true },
  )
  const whole = (await read(await messageIdOf(changed))) as FullMessage
  const header = (name: string) => whole.headers?.find((one) => one.name.toLowerCase() === name)?.value
  const original = (await read(root.id)) as FullMessage
  const rootId = original.headers?.find(({ name }) => name === 'Message-ID')?.value
  assert.deepEqual([header('in-reply-to'), header('references')], [rootId, rootId])
})

test('attachments are replaced as a list, plain text becomes HTML and back, a star comes and goes', async () => {
  const made = await create({ attachments: [file('a.txt', 'text/plain', 'a')] })
  const files = [file('b.txt', 'text/plain', 'b'), file('c.txt', 'text/plain', 'c')]
  const replaced = await port().update(session, made.id, { attachments: files })
  assert.deepEqual(
    replaced.attachments.map(({ filename }) => filename),
    ['b.txt', 'c.txt'],
  )
  assert.deepEqual((await port().update(session, made.id, { attachments: [] })).attachments, [])
  const plain = await port().update(session, made.id, { body: 'plain <text>', isPlaintext: true })
  assert.equal(plain.body.trimEnd(), 'plain <text>')
  const kept = await port().update(session, made.id, { subject: 'Only the subject' })
  assert.deepEqual([kept.body, kept.subject], [plain.body, 'Only the subject'])
  const format = async () => {
    const id = await messageIdOf(await port().find(session, made.id, {}))
    const raw = await world.google.mail!.messages.find(session, id, { fields: 'raw_mime' })
    assert.ok('raw_mime' in raw)
    return Buffer.from(raw.raw_mime, 'base64url').toString().includes('text/html') ? 'html' : 'plain'
  }
  await port().update(session, made.id, { body: 'other < text' })
  assert.equal(await format(), 'plain')
  // HTML as plain text would show its tags to the recipient.
  assert.equal((await port().update(session, made.id, { body: '<p>html</p>' })).body.trim(), '<p>html</p>')
  assert.equal(await format(), 'html')
  assert.equal((await port().update(session, made.id, { isPlaintext: true })).body.trim(), 'html')
  assert.equal(await format(), 'plain')
  assert.equal((await port().update(session, made.id, { starred: true })).starred, true)
  assert.equal((await port().update(session, made.id, { body: 'x' })).starred, true)
  assert.equal((await port().update(session, made.id, { starred: false })).starred, false)
})

test('a draft becomes a reply later, and its sender another', async () => {
  world.sandbox.control.addSendAs(ADA, { email: 'alias@x.example', displayName: 'Al', isVerified: true })
  const root = await world.google.mail!.send!.send(session, draft({ subject: 'Later' }), {
    withHeaders: false,
  })
  const made = await create({ subject: 'Re: Later' })
  assert.notEqual(made.thread_id, root.threadId)
  const change = { replyToMessageId: root.id, from: { email: 'alias@x.example' } }
  const changed = await port().update(session, made.id, change)
  assert.equal(changed.thread_id, root.threadId)
  assert.deepEqual(changed.from, [{ email: 'alias@x.example', name: 'Al' }])
  await assert.rejects(port().update(session, made.id, { from: { email: BEN } }), fails('send-as-denied'))
})

test('drafts are listed by every filter, newest first, page by page', async () => {
  for (const { id } of await listAll({})) await port().delete(session, id)
  const one = await create({ subject: 'Ältere Zahlen', starred: true })
  const two = await create({
    subject: 'Zahlen',
    cc: [{ email: 'c@x.example' }],
    bcc: [{ email: 'd@x.example' }],
  })
  const three = await create({
    subject: 'File',
    to: [{ email: 'e@x.example' }],
    attachments: [file('a.pdf', 'application/pdf', 'a')],
  })
  await world.google.mail!.messageChanges!.update(session, await messageIdOf(two), { folders: ['Label_1'] })
  const cases: readonly (readonly [Partial<DraftQuery>, readonly FullDraft[]])[] = [
    [{}, [three, two, one]],
    [{ subject: 'zahlen' }, [two, one]],
    [{ to: 'e@x.example' }, [three]],
    [{ cc: 'c@x.example' }, [two]],
    [{ bcc: 'd@x.example' }, [two]],
    [{ from: ADA }, [three, two, one]],
    [{ anyEmail: ['d@x.example', 'e@x.example'] }, [three, two]],
    [{ starred: true }, [one]],
    [{ starred: false }, [three, two]],
    [{ unread: true }, []],
    [{ unread: false, hasAttachment: true }, [three]],
    [{ hasAttachment: false }, [two, one]],
    [{ threadId: two.thread_id }, [two]],
    [{ threadId: two.thread_id, in: 'INBOX' }, []],
    [{ in: 'DRAFT' }, [three, two, one]],
    [{ in: 'Label_1' }, [two]],
  ]
  for (const [query, wanted] of cases) {
    for (const limit of [query.starred === undefined ? 50 : 1, 2]) {
      assert.deepEqual(
        (await listAll(query, limit)).map(({ id }) => id),
        wanted.map(({ id }) => id),
        JSON.stringify(query),
      )
    }
  }
  assert.deepEqual((await listAll({ starred: true }))[0], one)
})

test('deleting is for good, and made sure of when the answer is lost', async () => {
  const made = await create()
  const id = await messageIdOf(made)
  world.sandbox.control.fail({ target: 'api', mode: 'drop-after' })
  await port().delete(session, made.id)
  await assert.rejects(find(made.id), fails('not-found'))
  await assert.rejects(read(id), fails('not-found'))
  await assert.rejects(port().delete(session, made.id), fails('not-found'))
})

test('sending a draft takes it away, keeps its thread, and is never done twice', async () => {
  const made = await create({ attachments: [file('a.bin', 'application/octet-stream', noise(100))] })
  const sent = await port().send(session, made.id)
  assert.deepEqual([sent.folders, sent.threadId], [['SENT'], made.thread_id])
  await assert.rejects(find(made.id), fails('not-found'))
  const { items } = await world.google.mail!.messages.list(world.session('sandbox-refresh-token-ben'), {
    limit: 1,
    fields: 'standard',
  })
  assert.equal((items[0] as FullMessage).subject, made.subject)
  for (const [mode, kind] of [
    ['drop-after', 'unavailable'],
    ['503', 'unavailable'],
    ['429', 'rate-limited'],
  ] as const) {
    const next = await create()
    const from = world.validator.seen.length
    world.sandbox.control.fail({ target: 'send', mode })
    await assert.rejects(port().send(session, next.id), fails(kind))
    assert.equal(world.validator.seen.length, from + 1)
  }
  const nobody = await create({ to: [] })
  await assert.rejects(port().send(session, nobody.id), fails('rejected'))
  await find(nobody.id)
})

test('a draft is made once, whatever comes of the answer; a change is tried again', async () => {
  const made = await create()
  const count = (await listAll({}, 200)).length
  world.sandbox.control.fail({ target: 'api', mode: '503', times: 1 })
  await assert.rejects(create({ from: { email: ADA, name: 'A' } }), fails('unavailable'))
  assert.equal((await listAll({}, 200)).length, count)
  world.sandbox.control.fail({ target: 'api', mode: '503', times: 2 })
  assert.equal((await port().update(session, made.id, { subject: 'again' })).subject, 'again')
})

test('a large draft goes up as an upload, when it is made and when it changes', async () => {
  const from = world.validator.seen.length
  const made = await create({
    attachments: [file('large.bin', 'application/octet-stream', Buffer.alloc(3 * 1024 * 1024, 'large'))],
  })
  await port().update(session, made.id, { subject: 'Large again' })
  const uploads = world.validator.seen
    .slice(from)
    .filter(({ url }) => new URL(url).pathname.startsWith('/upload/'))
  assert.deepEqual(
    uploads.map(({ method }) => method),
    ['POST', 'PUT'],
  )
  const again = await find(made.id)
  assert.deepEqual(
    again.attachments.map(({ id, size }) => [id, size]),
    made.attachments.map(({ id, size }) => [id, size]),
  )
})

test('the session hears of every request and unit', async () => {
  const before = world.sandbox.control.spent(ADA)
  const made = await create({ starred: true })
  await port().update(session, made.id, { subject: 'u' })
  await port().list(session, { limit: 3 })
  await port().send(session, made.id)
  const { requests, units } = world.sandbox.control.spent(ADA)
  assert.deepEqual(session.spent(), { requests: requests - before.requests, units: units - before.units })
})
