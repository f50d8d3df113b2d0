import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { appError } from '../../src/contract/errors.ts'
import { grantId } from '../../src/contract/ids.ts'
import { unixSeconds } from '../../src/kit/clock.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { eventually } from '../support/eventually.ts'
import { MINUTE_MS, type ScheduledWorld, startScheduledWorld } from './scheduled-world.ts'

let world: ScheduledWorld
before(async () => {
  world = await startScheduledWorld()
})
after(() => world.stop())
beforeEach(() => {
  world.sent.length = 0
  world.drafts.clear()
  world.provider.onSend = () => Promise.resolve()
})

const eventOf = async (trigger: string, id: string) =>
  eventually(`${trigger} of ${id}`, async () => {
    const all = await world.events(trigger, 1)
    return all.find(({ data }) => JSON.stringify(data).includes(id))
  })
const sends = () => world.app.application.database.stores.scheduledSends

test('sends a message at its time, once, with its files, and tells it', async () => {
  const big = '0123456789'.repeat(60_000)
  const id = await world.schedule({
    body: `<p>${big}</p>`,
    metadata: { key1: 'v' },
    reply_to_message_id: 'm7',
    attachments: [{ filename: 'é.txt', content_type: 'text/plain', content: btoa(big), content_id: 'c1' }],
  })
  world.pass(MINUTE_MS)
  assert.equal((await world.status(id, 'pending')).description, 'The message waits to be sent.')
  assert.equal(world.sent.length, 0)
  world.pass(MINUTE_MS + 1_000)
  const { closeTime } = await world.status(id, 'success')
  assert.ok(Math.abs((closeTime ?? 0) - unixSeconds(world.app.clock)) < 5)
  const [{ message, files } = { message: undefined, files: [] }] = world.sent
  assert.equal(message?.body, `<p>${big}</p>`)
  assert.equal(message?.replyToMessageId, 'm7')
  assert.equal(message?.attachments[0]?.contentId, 'c1')
  assert.equal(files[0]?.toString(), big)
  const { data, source } = await eventOf('message.send_success', id)
  const { object, grant_id } = data as { object: Record<string, unknown>; grant_id: string }
  assert.deepEqual([source, grant_id, object['id']], ['/nylas/send', world.grant.id, 's1'])
  assert.deepEqual([object['schedule_id'], object['use_draft'], 'body' in object], [id, false, false])
  assert.deepEqual(object['metadata'], { key1: 'v' })
  world.pass(MINUTE_MS)
  assert.equal(world.sent.length, 1)
  const { contents } = world.app.application.database.stores
  assert.equal(await contents.find(`${id}.0`), null, 'its bytes are gone')
  assert.equal(await contents.find(`${id}.body`), null)
  world.pass(72 * 60 * MINUTE_MS)
  assert.equal((await world.call('GET', `/messages/schedules/${id}`)).status, 404)
})

test('lists what waits, and stops it until 10 seconds before its time', async () => {
  const sendAt = unixSeconds(world.app.clock) + 120
  const later = await world.schedule({ send_at: sendAt + 1 })
  const id = await world.schedule({ send_at: sendAt, attachments: [{ content: 'aGV5' }] })
  const list = await world.call('GET', '/messages/schedules')
  const waiting = { code: 'pending', description: 'The message waits to be sent.' }
  assert.deepEqual(
    list.body.data.filter(({ status }: { status: { code: string } }) => status.code === 'pending'),
    [
      { schedule_id: id, status: waiting },
      { schedule_id: later, status: waiting },
    ],
  )
  const stopped = await world.call('DELETE', `/messages/schedules/${id}`)
  assert.deepEqual([stopped.status, typeof stopped.body.data.message], [202, 'string'])
  assert.equal((await world.call('DELETE', `/messages/schedules/${id}`)).status, 404)
  assert.equal((await world.call('GET', `/messages/schedules/${id}`)).status, 404)
  assert.equal(await world.app.application.database.stores.contents.find(`${id}.0`), null)
  world.app.clock.advance(112_000)
  const late = await world.call('DELETE', `/messages/schedules/${later}`)
  assert.deepEqual([late.status, late.body.error.type], [400, 'api.invalid_request_error'])
  world.pass(10_000)
  await world.status(later, 'success')
  assert.equal(world.sent.length, 1)
})

test('tries again what the provider throttled, and sends it once', async () => {
  let tries = 0
  world.provider.onSend = async () => {
    tries += 1
    if (tries < 3) throw new ProviderError('rate-limited', 'slow down', { retryAfterSeconds: 5 })
  }
  const id = await world.schedule()
  world.pass(2 * MINUTE_MS)
  await eventually('a first try', async () => {
    const { body } = await world.call('GET', `/messages/schedules/${id}`)
    return body.data.status.description.startsWith('It will be tried again: slow down') || undefined
  })
  assert.equal((await world.call('DELETE', `/messages/schedules/${id}`)).status, 400)
  await eventually('sent', async () => {
    world.pass(MINUTE_MS)
    return world.sent.length > 0 || undefined
  })
  await world.status(id, 'success')
  assert.deepEqual([tries, world.sent.length], [3, 1])
})

test('gives a message up that cannot be sent for two hours, and tells it', async () => {
  world.provider.onSend = () => Promise.reject(new ProviderError('unavailable', 'closed for today'))
  const id = await world.schedule()
  world.pass(2 * MINUTE_MS)
  await eventually('given up', async () => {
    world.pass(5 * MINUTE_MS)
    const { body } = await world.call('GET', `/messages/schedules/${id}`)
    return body.data.status.code === 'failed' || undefined
  })
  const { data } = await eventOf('message.send_failed', id)
  assert.equal(data['reason'], 'closed for today')
  assert.equal(world.sent.length, 0)
})

test('a refused message fails at once with the words of the provider', async () => {
  world.provider.onSend = () =>
    Promise.reject(new ProviderError('rejected', 'no such user', { providerBody: { code: 550 } }))
  const id = await world.schedule()
  world.pass(2 * MINUTE_MS)
  assert.equal((await world.status(id, 'failed')).description, 'no such user')
  const { data } = await eventOf('message.send_failed', id)
  assert.deepEqual(data['error'], {
    type: 'provider_error',
    message: 'no such user',
    status_code: 402,
    provider_error: { code: 550 },
  })
  const object = data['object'] as Record<string, unknown>
  assert.deepEqual([object['subject'], object['schedule_id']], ['Later', id])
})

for (const [name, error] of [
  ['no answer came', new ProviderError('timeout', 'no answer', { answered: false })],
  ['a gateway failed', new ProviderError('unavailable', 'bad gateway', { answered: true, httpStatus: 502 })],
] as const) {
  test(`never tries again when ${name}: the message may have gone`, async () => {
    let tries = 0
    world.provider.onSend = () => {
      tries += 1
      return Promise.reject(error)
    }
    const id = await world.schedule()
    world.pass(2 * MINUTE_MS)
    assert.match((await world.status(id, 'failed')).description, /may have been sent/)
    assert.match(String((await eventOf('message.send_failed', id)).data['reason']), /may have been sent/)
    world.pass(30 * MINUTE_MS)
    await world.status(id, 'failed')
    assert.equal(tries, 1)
  })
}

test('sends a draft at the provider as it is then; one that is gone fails', async () => {
  const id = await world.schedule({ use_draft: true, metadata: { key1: 'old' } })
  const gone = await world.schedule({ use_draft: true })
  const [draftId = '', goneId = ''] = world.drafts.keys()
  await world.call('PUT', `/drafts/${draftId}`, { subject: 'Changed', metadata: { key1: 'new' } })
  await world.call('DELETE', `/drafts/${goneId}`)
  world.pass(2 * MINUTE_MS)
  await world.status(id, 'success')
  await world.status(gone, 'failed')
  assert.equal(world.sent.length, 1)
  const object = (await eventOf('message.send_success', id)).data['object'] as Record<string, unknown>
  assert.deepEqual(
    [object['subject'], object['metadata'], object['use_draft'], object['object']],
    ['Changed', { key1: 'new' }, true, 'message'],
  )
  assert.equal(
    ((await eventOf('message.send_failed', gone)).data['error'] as { type: string }).type,
    'not_found_error',
  )
})

test('a draft can be changed until 10 seconds before it is sent', async () => {
  const sendAt = unixSeconds(world.app.clock) + 120
  const id = await world.schedule({ use_draft: true, send_at: sendAt })
  const [draftId = ''] = world.drafts.keys()
  const free = await world.call('POST', '/drafts', { subject: 'Free' })
  world.app.clock.advance(109_000)
  assert.equal((await world.call('PUT', `/drafts/${draftId}`, { subject: 'In time' })).status, 200)
  world.app.clock.advance(1_000)
  const late = await world.call('PUT', `/drafts/${draftId}`, { subject: 'Late' })
  assert.deepEqual([late.status, late.body.error.type], [400, 'api.invalid_request_error'])
  assert.match(late.body.error.message, /10 seconds before send_at/)
  assert.equal((await world.call('PUT', `/drafts/${free.body.data.id}`, { subject: 'Still' })).status, 200)
  world.pass(10_000)
  await world.status(id, 'success')
  const object = (await eventOf('message.send_success', id)).data['object'] as Record<string, unknown>
  assert.equal(object['subject'], 'In time')
})

test('refuses a time that no calendar has', async () => {
  for (const sendAt of [9e15, 1e12]) {
    const answer = await world.call('POST', '/messages/send', {
      to: [{ email: 'x@acme.example' }],
      send_at: sendAt,
      use_draft: true,
    })
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.body.error.message, /send_at/)
  }
  assert.equal(world.drafts.size, 0)
})

test('words of the provider that no database keeps don’t keep it from being closed', async () => {
  world.provider.onSend = () => Promise.reject(new ProviderError('rejected', 'no such\0 user'))
  const id = await world.schedule()
  world.pass(2 * MINUTE_MS)
  assert.equal((await world.status(id, 'failed')).description, 'no such user')
})

test('what this process was sending and has forgotten is closed as unknown', async () => {
  const id = await world.schedule()
  world.app.clock.advance(2 * MINUTE_MS)
  const holder = world.app.application.database.liveness.self
  const [claimed] = await sends().claim({ grantId: world.grant.id, limit: 1, holder, holdMs: MINUTE_MS })
  assert.equal(claimed?.id, id)
  assert.equal(await sends().begin(id, claimed?.lease ?? ''), true)
  world.pass(0)
  assert.match((await world.status(id, 'failed')).description, /may have been sent/)
  await eventOf('message.send_failed', id)
  assert.equal(world.sent.length, 0)
})

test('a message is sent all the same when the note that it is sent was not confirmed', async () => {
  const store = sends()
  const begin = store.begin.bind(store)
  let lost = 0
  store.begin = async (id, lease) => {
    const done = await begin(id, lease)
    lost += 1
    if (lost === 1) throw appError('api.unavailable')
    return done
  }
  try {
    const id = await world.schedule()
    world.pass(2 * MINUTE_MS)
    await eventually('sent', async () => {
      world.pass(MINUTE_MS)
      return world.sent.length > 0 || undefined
    })
    await world.status(id, 'success')
    assert.equal(world.sent.length, 1)
  } finally {
    store.begin = begin
  }
})

test('a message that another version of this server has stored fails, and says so', async () => {
  const id = await world.schedule({ send_at: unixSeconds(world.app.clock) + 300 })
  const { stores } = world.app.application.database
  const other = '11111111-2222-4333-8444-555555555555'
  const { applicationId, id: grant } = world.grant
  const place = { table: 'scheduled_sends', column: 'sealed_message', rowId: other, applicationId }
  await stores.scheduledSends.insert({
    id: other,
    applicationId,
    grantId: grant,
    sendAt: unixSeconds(world.app.clock) + 60,
    useDraft: false,
    sealedMessage: world.vault.seal(place, JSON.stringify({ version: 2, letter: {} })),
  })
  world.pass(MINUTE_MS)
  assert.match((await world.status(other, 'failed')).description, /another version of this server/)
  const { data } = await eventOf('message.send_failed', other)
  assert.equal((data['error'] as { status_code: number }).status_code, 500)
  const object = data['object'] as Record<string, unknown>
  assert.deepEqual([object['schedule_id'], object['object']], [other, 'message'])
  assert.equal((await world.call('DELETE', `/messages/schedules/${id}`)).status, 202)
})

test('stopping the schedule of a draft leaves the draft', async () => {
  const id = await world.schedule({ use_draft: true })
  assert.equal((await world.call('DELETE', `/messages/schedules/${id}`)).status, 202)
  world.pass(3 * MINUTE_MS)
  assert.deepEqual([world.drafts.size, world.sent.length], [1, 0])
})

test('a message whose process ended while it was sent is closed as unknown, and never sent again', async () => {
  const id = await world.schedule()
  world.app.clock.advance(2 * MINUTE_MS)
  const request = { grantId: world.grant.id, limit: 1, holder: 'gone', holdMs: MINUTE_MS }
  const [claimed] = await sends().claim(request)
  assert.equal(claimed?.id, id)
  assert.equal(await sends().begin(id, claimed?.lease ?? ''), true)
  world.pass(0)
  assert.match((await world.status(id, 'failed')).description, /may have been sent/)
  const { data } = await eventOf('message.send_failed', id)
  assert.equal((data['object'] as { subject: string }).subject, 'Later')
  assert.equal(world.sent.length, 0)
  // It turns out to live: what it knows for sure comes in place of the guess.
  const known = { state: 'success', description: '' } as const
  assert.equal(await sends().close(id, claimed?.lease ?? '', known), true)
  await world.status(id, 'success')
})

test('what a process had claimed and not begun is sent by the next', async () => {
  const id = await world.schedule()
  world.app.clock.advance(2 * MINUTE_MS)
  const request = { grantId: world.grant.id, limit: 1, holder: 'gone', holdMs: MINUTE_MS }
  const [claimed] = await sends().claim(request)
  world.pass(0)
  await world.status(id, 'success')
  assert.equal(world.sent.length, 1)
  assert.equal(await sends().begin(id, claimed?.lease ?? ''), false)
})

test('of an invalid grant it fails with the reason; of a deleted grant nothing is left', async () => {
  const { stores } = world.app.application.database
  const others = await Promise.all(
    ['one@globex.example', 'two@globex.example'].map(async (email, at) => {
      const id = grantId(`00000000-0000-4000-8000-00000000000${at}`)
      const grant = { ...world.grant, id, email, emailKey: email }
      assert.equal(await stores.grants.insert(grant), true)
      const { body } = await world.app.call('POST', `/v3/grants/${id}/messages/send`, {
        to: [{ email: 'x@acme.example' }],
        body: 'x',
        send_at: unixSeconds(world.app.clock) + 120,
      })
      return { grant, schedule: String(body.schedule_id) }
    }),
  )
  const [dying, deleted] = others
  assert.ok(dying && deleted)
  const { applicationId } = world.grant
  const reason = { code: 'access_revoked', message: 'The user has revoked it.', advice: '', at: 1 }
  await stores.grants.markInvalid(applicationId, dying.grant.id, reason)
  assert.equal(await stores.grants.delete(applicationId, deleted.grant.id), true)
  world.pass(2 * MINUTE_MS)
  const { data } = await eventOf('message.send_failed', dying.schedule)
  assert.match(String(data['reason']), /The user has revoked it/)
  assert.equal((data['error'] as { status_code: number }).status_code, 401)
  assert.equal(await sends().find(deleted.grant.id, deleted.schedule, 1e9), null)
  assert.equal(world.sent.length, 0)
})

test('a mailbox that hangs holds up no other', async () => {
  const { stores } = world.app.application.database
  const other = {
    ...world.grant,
    id: grantId('00000000-0000-4000-8000-000000000009'),
    email: 'o@x.example',
    emailKey: 'o@x.example',
  }
  assert.equal(await stores.grants.insert(other), true)
  let hung = 0
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  world.provider.onSend = () => (world.sent.length === 0 && hung++ < 2 ? opened : Promise.resolve())
  const ids = [await world.schedule(), await world.schedule(), await world.schedule()]
  world.pass(2 * MINUTE_MS)
  await eventually('two hang', async () => hung === 2 || undefined)
  await world.app.call('POST', `/v3/grants/${other.id}/messages/send`, {
    to: [{ email: 'x@acme.example' }],
    body: 'from the other',
    send_at: unixSeconds(world.app.clock) + 60,
  })
  world.pass(MINUTE_MS)
  await eventually('the other is sent', async () => world.sent.length === 1 || undefined)
  assert.equal(world.sent[0]?.message?.body, 'from the other')
  open()
  for (const id of ids) await world.status(id, 'success')
  assert.equal(world.sent.length, 4)
})
