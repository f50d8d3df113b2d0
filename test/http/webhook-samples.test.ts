import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { subscribedTrigger } from '../../src/contract/triggers.ts'
import { SAMPLES } from '../../src/core/webhooks/samples/all.ts'
import { type HttpApp, startHttpApp } from '../support/http-app.ts'

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())

const mock = (trigger_type: unknown) => app.call('POST', '/v3/webhooks/mock-payload', { trigger_type })

/** Triggers with `data.grant_id`: contract/webhooks.md 6, column G. */
const WITH_GRANT_ID = [
  'booking.cancelled',
  'booking.created',
  'booking.pending',
  'booking.reminder',
  'booking.rescheduled',
  'message.bounce_detected',
  'message.bounced',
  'message.complaint',
  'message.delivered',
  'message.link_clicked',
  'message.opened',
  'message.rejected',
  'message.send_failed',
  'message.send_success',
  'thread.replied',
]

test('gives a whole notification of each trigger', async () => {
  const withGrantId = []
  for (const trigger of Object.keys(SAMPLES)) {
    const answer = await mock(trigger)
    assert.equal(answer.status, 200, trigger)
    const { id, source, data, ...rest } = answer.body.data
    assert.deepEqual(rest, {
      specversion: '1.0',
      type: trigger,
      time: Math.floor(app.clock.nowMs() / 1000),
      webhook_delivery_attempt: 1,
    })
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.match(source, /^\/[a-z0-9/]+$/)
    assert.equal(data.application_id, app.applicationId)
    assert.ok(Object.keys(data.object).length > 1, trigger)
    if ('grant_id' in data) withGrantId.push(trigger)
  }
  assert.deepEqual(withGrantId.toSorted(), WITH_GRANT_ID)
})

test('gives grants as they are sent', async () => {
  const { body } = await mock('grant.expired')
  assert.deepEqual(Object.keys(body.data.data.object), [
    'code',
    'grant_id',
    'integration_id',
    'provider',
    'email',
    'grant_updated_at',
  ])
  assert.deepEqual(Object.keys((await mock('grant.deleted')).body.data.data), ['application_id', 'object'])
})

test('leaves the body out of a truncated message, under the truncated name', async () => {
  for (const trigger of ['message.created', 'message.updated', 'message.created.cleaned']) {
    const whole = (await mock(trigger)).body.data
    const truncated = (await mock(`${trigger}.truncated`)).body.data
    const { body, ...rest } = whole.data.object
    assert.equal(typeof body, 'string')
    assert.equal(truncated.type, `${trigger}.truncated`)
    assert.deepEqual(truncated.data.object, rest)
  }
})

test('gives the trigger that an alias stands for', async () => {
  assert.equal((await mock('contact.created')).body.data.type, 'contact.updated')
})

test('refuses what has no sample', async () => {
  for (const trigger of ['nope', 'toString', 'message.opened.legacy', 'message.intelligence.order']) {
    const answer = await mock(trigger)
    assert.deepEqual(
      [answer.status, answer.body.error],
      [400, { type: '70005', message: `trigger_type: there is no sample of "${trigger}"` }],
    )
  }
  assert.equal((await mock(undefined)).body.error.message, 'trigger_type is required')
})

test('takes a subscription to what clients may list, though nothing is ever sent for it', () => {
  for (const trigger of ['thread.replied.legacy', 'message.intelligence.travel']) {
    assert.equal(subscribedTrigger(trigger), trigger)
  }
})
