import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { apart, HOUR_MS, startWebhookWorld } from './webhook-world.ts'

const DAY_MS = 24 * HOUR_MS

test('keeps delivered ones for 7 days, dead letters for 30, and their events longer', async () => {
  const world = await startWebhookWorld()
  try {
    const own = apart()
    const well = await world.destination('/well', own)
    const gone = await world.destination('/gone', own)
    world.receiver.answer('/gone', { status: 503 })
    const [event] = await world.events(1, own)
    assert.ok(event)
    await world.delivery(well, ({ state }) => state === 'done')
    await world.delivery(gone, ({ outcome, lease }) => outcome !== null && lease === null)
    const { outbox, webhooks } = world.app.application.database.stores
    await webhooks.changeStatus(gone.id, 'active', 'pause', 1)
    world.pass(HOUR_MS)
    await world.delivery(gone, ({ state }) => state === 'dead')
    const left = async () => ({
      delivered: (await world.deliveries(well)).length,
      dead: (await world.deliveries(gone)).length,
      events: (await outbox.find([event.id])).length,
      counts: (await webhooks.deliveriesOf(100 * 24 * 60)).length,
    })
    const becomes = async (days: number, wanted: Awaited<ReturnType<typeof left>>) => {
      world.app.clock.advance(days * DAY_MS)
      await eventually(JSON.stringify(wanted), async () => {
        world.pass(0)
        return JSON.stringify(await left()) === JSON.stringify(wanted) ? true : undefined
      })
    }
    await becomes(3, { delivered: 1, dead: 1, events: 1, counts: 2 })
    await becomes(2, { delivered: 1, dead: 1, events: 1, counts: 0 })
    await becomes(3, { delivered: 0, dead: 1, events: 1, counts: 0 })
    await becomes(23, { delivered: 0, dead: 0, events: 1, counts: 0 })
    await becomes(5, { delivered: 0, dead: 0, events: 0, counts: 0 })
  } finally {
    await world.stop()
  }
})
