import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { appError } from '../../src/contract/errors.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import { startAcknowledging } from '../../src/jobs/acknowledge.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { eventually } from '../support/eventually.ts'
import { apart, HOUR_MS, KIND, startWebhookWorld } from './webhook-world.ts'

test('keeps outcomes while the database is away and writes them down, once, when it is back', async () => {
  const world = await startWebhookWorld()
  try {
    const { database } = world.app.application
    const destination = await world.destination('/', { ...apart(), status: 'pause' })
    const lane = { kind: KIND, lane: destination.id } as const
    // In one transaction, so that the server doesn't take them first.
    const held = await database.transaction(async ({ jobs }) => {
      const { applicationId } = destination
      const made = Array.from({ length: 150 }, () => ({
        ...lane,
        dedupeKey: randomUUID(),
        applicationId,
        payload: {},
      }))
      await jobs.enqueue(made)
      return jobs.claim({ ...lane, limit: 150, holder: database.liveness.self, leaseMs: HOUR_MS })
    })
    let refusals = 0
    const shaky: Database = {
      ...database,
      transaction(work) {
        if (refusals === 1) return database.transaction(work)
        refusals += 1
        return Promise.reject(appError('api.unavailable'))
      },
    }
    const acknowledging = startAcknowledging({ database: shaky, log: silentLogger })
    for (const { id, lease } of held) {
      const result = { kind: 'done', outcome: { status: 200 } } as const
      acknowledging.add({
        webhookId: destination.id,
        succeeded: true,
        settled: { id, lease: lease ?? '', result },
      })
    }
    await eventually('all written down', async () => (acknowledging.waiting === 0 ? true : undefined))
    await acknowledging.stop()
    assert.equal(refusals, 1)
    const states = (await world.deliveries(destination)).map(({ state }) => state)
    assert.deepEqual(new Set(states), new Set(['done']))
    const [count] = await database.stores.webhooks.deliveriesOf(15)
    assert.equal(count?.succeeded, 150)
  } finally {
    await world.stop()
  }
})
