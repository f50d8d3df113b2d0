import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { logKeeper } from '../support/log-keeper.ts'
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts'
import {
  apart,
  HOUR_MS,
  MINUTE_MS,
  startWebhookWorld,
  type TestDestination,
  type WebhookWorld,
} from './webhook-world.ts'

let smtp: SmtpSink
let world: WebhookWorld
before(async () => {
  smtp = await startSmtpSink()
  world = await startWebhookWorld({
    GRANTWAY_SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
    GRANTWAY_SMTP_FROM: 'Grantway <grantway@operator.example>',
    GRANTWAY_ALLOW_PLAINTEXT_MAIL: 'true',
  })
})
after(async () => {
  await world.stop()
  await smtp.stop()
})

const hasStatus = (destination: TestDestination, status: string, of = world) =>
  eventually(`the destination ${status}`, async () => {
    of.pass(0)
    const webhook = await of.webhook(destination)
    return webhook.status === status ? webhook : undefined
  })

const mailCount = (count: number) => eventually(`mail number ${count}`, async () => smtp.messages[count - 1])

/** Writes events and waits until each was tried. */
async function deliver(destination: TestDestination, count: number, of = world): Promise<void> {
  const made = new Set(
    (await of.events(count, { applicationId: destination.applicationId })).map(({ id }) => id),
  )
  await eventually('all tried', async () => {
    const mine = (await of.deliveries(destination)).filter(({ payload }) =>
      made.has(String(payload['event_id'])),
    )
    const tried = mine.filter(({ lease, attempts }) => lease === null && attempts > 0)
    return tried.length === count ? true : undefined
  })
}

/** A destination that everything fails at, old enough to be judged. */
async function failingDestination(path: string, of = world): Promise<TestDestination> {
  of.receiver.answer(path, { status: 500 })
  const destination = await of.destination(path, {
    ...apart(),
    notificationEmailAddresses: ['ops@customer.example', 'dev@customer.example'],
    description: 'orders',
  })
  of.app.clock.advance(16 * MINUTE_MS)
  await deliver(destination, 12, of)
  await hasStatus(destination, 'failing', of)
  return destination
}

describe('webhook health', () => {
  test('failing after 95 % of a quarter of an hour, told by mail; failed 72 hours later; what waits can be replayed', async () => {
    const destination = await failingDestination('/dies')
    const failing = await mailCount(1)
    assert.match(failing, /^From: Grantway <grantway@operator\.example>$/m)
    assert.match(failing, /^To: ops@customer\.example, dev@customer\.example$/m)
    assert.match(failing, /^Subject: Webhook destination 127\.0\.0\.1:\d+ is failing$/m)
    assert.match(failing, /orders/)
    // The tries go on, hours apart: too few for a window, and yet no sign of life.
    for (let hours = 0; hours < 63; hours += 9) {
      world.app.clock.advance(9 * HOUR_MS)
      await deliver(destination, 1)
      assert.equal((await world.webhook(destination)).status, 'failing')
    }
    world.app.clock.advance(9 * HOUR_MS)
    await hasStatus(destination, 'failed')
    assert.match(await mailCount(2), /^Subject: .* has failed$/m)
    await eventually('buried', async () =>
      (await world.deliveries(destination)).every(({ state }) => state === 'dead') ? true : undefined,
    )
    const count = (await world.deliveries(destination)).length
    const seen = world.receiver.received.length
    const { applicationId } = destination
    const witness = await world.destination('/witness', { applicationId })
    await deliver(witness, 1)
    assert.equal((await world.deliveries(destination)).length, count, 'events are no longer kept for it')
    assert.deepEqual(
      world.receiver.received.slice(seen).map(({ path }) => path),
      ['/witness'],
    )
    assert.equal(smtp.messages.length, 2, 'each is told once')
  })

  test('active again when deliveries get through, and the next time is told again', async () => {
    const told = smtp.messages.length
    const destination = await failingDestination('/recovers')
    await mailCount(told + 1)
    world.receiver.answer('/recovers', { status: 200 })
    await deliver(destination, 4)
    await hasStatus(destination, 'active')
    world.receiver.answer('/recovers', { status: 500 })
    world.app.clock.advance(16 * MINUTE_MS)
    await deliver(destination, 40)
    await hasStatus(destination, 'failing')
    await mailCount(told + 2)
  })

  test('judges no destination by fewer than ten deliveries, nor by what was before its activation', async () => {
    const made = ['/few', '/activated', '/witness'].map((path) => {
      world.receiver.answer(path, { status: 500 })
      return world.destination(path, apart())
    })
    const [few, activated, witness] = await Promise.all(made)
    assert.ok(few && activated && witness)
    world.app.clock.advance(16 * MINUTE_MS)
    await deliver(few, 9)
    await deliver(activated, 10)
    await hasStatus(activated, 'failing')
    assert.equal((await world.webhook(few)).status, 'active')
    const now = Math.floor(world.app.clock.nowMs() / 1000)
    const { webhooks } = world.app.application.database.stores
    await webhooks.changeStatus(activated.id, 'failing', 'active', now)
    await deliver(witness, 10)
    await hasStatus(witness, 'failing')
    assert.equal((await world.webhook(activated)).status, 'active')
    world.app.clock.advance(16 * MINUTE_MS)
    await deliver(activated, 10)
    await hasStatus(activated, 'failing')
  })

  test('tries to tell again when the mail server refuses', async () => {
    smtp.refuses = true
    const told = smtp.messages.length
    await failingDestination('/untold')
    await eventually('a refusal', async () => (smtp.refusals > 0 ? true : undefined))
    smtp.refuses = false
    world.app.clock.advance(6 * MINUTE_MS)
    world.pass(0)
    await mailCount(told + 1)
  })

  test('without a mail server says it once in the log', async () => {
    const keeper = logKeeper()
    const mute = await startWebhookWorld({}, { log: keeper.log })
    try {
      const destination = await failingDestination('/mute', mute)
      const lines = () => keeper.text().split('webhook.no_mail_server').length - 1
      await eventually('the line', async () => (lines() > 0 ? true : undefined))
      assert.match(keeper.text(), /"msg":"webhook\.failing"/)
      await deliver(destination, 1, mute)
      assert.equal(lines(), 1)
      assert.ok(!keeper.text().includes('customer.example'))
    } finally {
      await mute.stop()
    }
  })
})
