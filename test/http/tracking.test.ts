import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { OutboxEvent } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type OutgoingApp, startOutgoingApp } from '../support/outgoing-app.ts'

const TO = [{ email: 'ada@acme.example' }]
const URL_BASE = 'https://mail.example/base'
const CHROME = 'Mozilla/5.0 (Linux; Android 10; SM-G973F) AppleWebKit/537.36 Chrome/130.0.6723.92'

let app: OutgoingApp
before(async () => {
  app = await startOutgoingApp({
    tracking: { mode: 'anonymous', publicUrl: URL_BASE },
    http: { trustedProxies: ['127.0.0.0/8'] },
  })
})
after(() => app.close())
beforeEach(() => {
  app.sent.length = 0
})

const marksIn = (body: string) => body.match(/\/t\/[ol]\/[\w.-]+/g) ?? []

async function send(tracking: object, body: string, more: object = {}, on = app) {
  const answer = await on.call('POST', `${on.base}/messages/send`, {
    to: TO,
    body,
    tracking_options: tracking,
    ...more,
  })
  const sent = on.sent.at(-1)?.message?.body ?? ''
  return { answer, sent, paths: marksIn(sent) }
}

const visit = (path: string, headers: Record<string, string> = {}, method = 'GET', on = app) =>
  fetch(on.url + path, {
    method,
    redirect: 'manual',
    headers: { 'x-forwarded-for': '203.0.113.77', 'user-agent': CHROME, ...headers },
  })

/** Events since the last call. */
const seen = new Set<string>()
async function newEvents(on = app) {
  await on.services.tracking.idle()
  const events = await on.database.stores.outbox.list(on.applicationId, 1000)
  const fresh = events.filter(({ id }) => !seen.has(id))
  for (const { id } of events) seen.add(id)
  return fresh
}

function objectOf(event: OutboxEvent | undefined): Record<string, unknown> {
  return (event?.data['object'] ?? {}) as Record<string, unknown>
}

const RECENT = { ip: '203.0.113.0', user_agent: 'Mozilla/5 (Linux) AppleWebKit/537 Chrome/130' }

test('counts opens, once in a minute, and tells of each with what is known', async () => {
  const { answer, sent, paths } = await send({ opens: true, label: 'q1' }, '<body><p>Hi</p></body>')
  const id = answer.body.data.id
  assert.equal(answer.body.data.body, '<body><p>Hi</p></body>')
  assert.deepEqual(answer.body.data.tracking_options, {
    opens: true,
    links: false,
    thread_replies: false,
    label: 'q1',
  })
  assert.match(
    sent,
    /^<body><p>Hi<\/p><img src="https:\/\/mail\.example\/base\/t\/o\/[\w-]{44}\.gif" [^>]+><\/body>$/,
  )
  const [path = ''] = paths
  await newEvents()
  for (const _twice of [1, 2]) {
    const image = await visit(path)
    assert.deepEqual([image.status, image.headers.get('content-type')], [200, 'image/gif'])
    assert.equal(image.headers.get('cache-control'), 'no-store, private')
    assert.equal(image.headers.get('set-cookie'), null)
    assert.equal(
      Buffer.from(await image.arrayBuffer())
        .subarray(0, 6)
        .toString(),
      'GIF89a',
    )
  }
  const at = 1_767_225_600
  const object = (count: number, recents: object[], timestamp: number) => ({
    object: 'message',
    grant_id: app.grant.id,
    message_id: id,
    label: 'q1',
    sender_app_id: app.applicationId,
    timestamp,
    message_data: { count, timestamp },
    recents,
  })
  const [event, ...others] = await newEvents()
  assert.deepEqual(others, [])
  assert.deepEqual([event?.trigger, event?.source], ['message.opened', '/com/nylas/tracking'])
  const first = { opened_id: 0, ...RECENT, timestamp: at }
  assert.deepEqual(event?.data, { grant_id: app.grant.id, object: object(1, [first], at) })
  app.clock.advance(60_000)
  await visit(path, { 'x-forwarded-for': '2001:db8:1:2::3', 'user-agent': '' })
  const [second] = await newEvents()
  const next = { opened_id: 1, ip: '2001:db8:1::', user_agent: '', timestamp: at + 60 }
  assert.deepEqual(second?.data['object'], object(2, [first, next], at + 60))
})

test('leads to the links of the message and counts each click', async () => {
  const { sent, paths } = await send(
    { links: true },
    '<a href="https://x.example/é?a=1&amp;b=2">1</a><a href=\'mailto:b@y.example\'>2</a><a href="https://x.example/é?a=1&amp;b=2">3</a>',
  )
  assert.doesNotMatch(sent, /<img/)
  assert.equal(paths.length, 3)
  await newEvents()
  const [first = '', second = '', third = ''] = paths
  const answer = await visit(second)
  assert.deepEqual([answer.status, answer.headers.get('location')], [302, 'mailto:b@y.example'])
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
  assert.equal(answer.headers.get('cache-control'), 'no-store, private')
  assert.equal(answer.headers.get('set-cookie'), null)
  assert.equal((await visit(first)).headers.get('location'), 'https://x.example/%C3%A9?a=1&b=2')
  await visit(third)
  const events = await newEvents()
  assert.deepEqual(
    events.map(({ trigger }) => trigger),
    Array(3).fill('message.link_clicked'),
  )
  const { link_data, recents } = objectOf(events[2])
  // Links with one address are one.
  assert.deepEqual(link_data, [
    { url: 'mailto:b@y.example', count: 1 },
    { url: 'https://x.example/é?a=1&b=2', count: 2 },
  ])
  const timestamp = Math.floor(app.clock.nowMs() / 1000)
  const click = (click_id: number, link_index: string) => ({ click_id, link_index, ...RECENT, timestamp })
  assert.deepEqual(recents, [click(0, '0'), click(1, '1'), click(2, '1')])
})

test('remembers the last fifty', async () => {
  const { paths } = await send({ opens: true }, 'x')
  await newEvents()
  for (let opened = 0; opened < 52; opened += 1) {
    app.clock.advance(60_000)
    await visit(paths[0] ?? '')
  }
  const object = (await newEvents()).at(-1)?.data['object'] as { recents: { opened_id: number }[] }
  assert.deepEqual(
    [object.recents.length, object.recents[0]?.opened_id, object.recents[49]?.opened_id],
    [50, 2, 51],
  )
})

test('tells nothing about a token it has not made, and leads nowhere', async () => {
  const { paths } = await send({ opens: true, links: true }, '<a href="https://x.example">x</a>')
  const [link = '', image = ''] = [...paths].sort()
  const [ofLink, ofImage] = [link.slice(5), image.slice(5, -4)]
  await newEvents()
  const other = ofLink.startsWith('A') ? 'B' : 'A'
  const forged = [
    'x',
    `${ofLink.slice(0, -1)}1`,
    `${ofLink}0`,
    `${other}${ofLink.slice(1)}`,
    `${ofImage}0`,
    `${'a'.repeat(44)}0`,
    '..%2f..',
  ]
  for (const token of forged) {
    const answer = await visit(`/t/l/${token}`)
    assert.deepEqual([token, answer.status, answer.headers.get('location')], [token, 404, null])
    assert.match(await answer.text(), /There is nothing at this address/)
    const gif = await visit(`/t/o/${token}.gif`)
    assert.deepEqual([gif.status, gif.headers.get('content-type')], [200, 'image/gif'])
  }
  assert.equal((await visit(`/t/o/${ofLink.slice(0, -1)}.gif`)).status, 200)
  assert.deepEqual(await newEvents(), [])
})

test('does not count who has not looked: HEAD, prefetches, robots', async () => {
  const { paths } = await send({ opens: true, links: true }, '<a href="https://x.example">x</a>')
  await newEvents()
  for (const path of paths) {
    assert.equal((await visit(path, {}, 'HEAD')).status, path.includes('/t/o/') ? 200 : 302)
    await visit(path, { 'sec-purpose': 'prefetch;prerender' })
    await visit(path, { 'x-moz': 'prefetch' })
    await visit(path, { 'user-agent': 'Slackbot-LinkExpanding 1.0' })
  }
  assert.deepEqual(await newEvents(), [])
  await visit(paths.find((path) => path.includes('/t/o/')) ?? '', {
    'user-agent': 'Mozilla/5.0 (Windows NT 5.1) (via ggpht.com GoogleImageProxy)',
  })
  assert.equal((await newEvents()).length, 1)
})

test('counts so many clicks of one address and message in a minute, and answers all', async () => {
  const { paths } = await send({ links: true }, '<a href="https://x.example">x</a>')
  await newEvents()
  const answers = await Promise.all(Array.from({ length: 25 }, () => visit(paths[0] ?? '')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([302]))
  assert.equal((await newEvents()).length, 20)
  await visit(paths[0] ?? '', { 'x-forwarded-for': '198.51.100.1' })
  assert.equal((await newEvents()).length, 1)
})

test('leads on but does not count before the message was sent', async () => {
  const body = '<a href="https://x.example/">x</a>'
  const draft = { to: TO, body, tracking_options: { links: true, opens: true } }
  const { id } = (await app.call('POST', `${app.base}/drafts`, draft)).body.data
  const targets: (string | null)[] = []
  app.onSend = async () => {
    // A scanner on the way sees the message before the provider has answered.
    for (const path of marksIn(app.drafts.get(id)?.wire.body ?? '')) {
      targets.push((await visit(path)).headers.get('location'))
    }
    throw new ProviderError('rejected', 'no such mailbox')
  }
  const failed = await app.call('POST', `${app.base}/drafts/${id}`)
  app.onSend = () => Promise.resolve()
  assert.ok(failed.status >= 400, failed.text)
  assert.deepEqual(targets, ['https://x.example/', null])
  assert.deepEqual(await newEvents(), [])
})

test('marks nothing in plain text', async () => {
  const { answer, sent } = await send({ opens: true, links: true }, 'x <a href="https://x.example">', {
    is_plaintext: true,
  })
  assert.deepEqual([answer.status, sent], [200, 'x <a href="https://x.example">'])
})

test('uses a domain of the application, and refuses what is none', async () => {
  const { sent } = await send({ opens: true, domain_name: 'Click.Acmé.example' }, 'x')
  assert.match(sent, /src="https:\/\/click\.xn--acm-dma\.example\/base\/t\/o\//)
  for (const domain_name of [
    'evil.example/x',
    'localhost',
    'a b.example',
    '127.0.0.1',
    'x.example:1',
    '"><b>',
    '',
  ]) {
    const { answer } = await send({ opens: true, domain_name }, 'x')
    assert.deepEqual(
      [domain_name, answer.status, answer.body.error.type],
      [domain_name, 400, 'api.tracking_error'],
    )
  }
  assert.equal(app.sent.length, 1)
})

test('refuses more than 100 links', async () => {
  const links = (count: number) => '<a href="https://x.example">x</a>'.repeat(count)
  assert.equal((await send({ links: true }, links(100))).answer.status, 200)
  const { answer } = await send({ links: true }, links(101))
  assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.tracking_error'])
  assert.match(answer.body.error.message, /more than 100 links/)
  assert.equal(app.sent.length, 1)
})

test('goes with its grant', async () => {
  const other = await startOutgoingApp({ tracking: { mode: 'full', publicUrl: URL_BASE } })
  try {
    const { paths } = await send({ links: true }, '<a href="https://x.example">x</a>', {}, other)
    const [path = ''] = paths
    await visit(path, {}, 'GET', other)
    const [event] = await newEvents(other)
    const [recent] = objectOf(event)['recents'] as { ip: string; user_agent: string }[]
    assert.deepEqual([recent?.ip, recent?.user_agent], ['127.0.0.1', CHROME])
    await other.database.stores.grants.delete(other.applicationId, other.grant.id)
    assert.equal((await visit(path, {}, 'GET', other)).status, 404)
    assert.deepEqual(await newEvents(other), [])
  } finally {
    await other.close()
  }
})

test('says what is missing where recipients could not reach this server, and where tracking is off', async () => {
  const nowhere = await startOutgoingApp({ tracking: { mode: 'anonymous', publicUrl: undefined } })
  const off = await startOutgoingApp({ tracking: { mode: 'off', publicUrl: URL_BASE } })
  try {
    const { answer } = await send({ opens: true }, 'x', {}, nowhere)
    assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.tracking_error'])
    assert.match(answer.body.error.message, /GRANTWAY_PUBLIC_URL/)
    assert.equal((await send({ thread_replies: true }, 'x', {}, nowhere)).answer.status, 200)
    for (const options of [{ opens: true }, { links: true }, { thread_replies: true }]) {
      const refused = await send(options, 'x', {}, off)
      assert.deepEqual([refused.answer.status, refused.answer.body.error.type], [400, 'api.tracking_error'])
      assert.match(refused.answer.body.error.message, /GRANTWAY_TRACKING/)
    }
    assert.equal((await send({ opens: false }, 'x', {}, off)).answer.status, 200)
    const draft = { to: TO, body: 'x', tracking_options: { opens: true } }
    assert.equal((await off.call('POST', `${off.base}/drafts`, draft)).status, 400)
    assert.equal(off.drafts.size, 0)
  } finally {
    await nowhere.close()
    await off.close()
  }
})
