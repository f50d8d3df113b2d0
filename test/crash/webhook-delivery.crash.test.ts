import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Death, killAtDeliverySteps, runWebhookKills } from './webhook-kills.ts'

const KILLS = Number(process.env['WEBHOOK_KILLS'] ?? 50)

/** On the way of an event to its delivery. After one step is before the next where nothing lies between. */
const DEATHS: readonly Death[] = [
  { when: 'before', step: 'outbox.insert' },
  { when: 'after', step: 'outbox.insert' },
  { when: 'before', step: 'jobs.enqueue' },
  { when: 'after', step: 'jobs.enqueue' },
  { when: 'before', step: 'jobs.claim' },
  { when: 'after', step: 'jobs.claim' },
  { when: 'before', step: 'jobs.settle' },
  { when: 'before', step: 'webhooks.countDeliveries' },
  { when: 'after', step: 'jobs.settle' },
]

describe('webhook delivery', () => {
  test(`killed ${KILLS} times at any moment: no event is lost, what comes twice is the same`, async () => {
    const report = await runWebhookKills({ kills: KILLS })
    assert.ok(report.grants > 0)
  })

  test('killed at each of its steps: the event comes, and nothing but that', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'grantway-webhook-steps-'))
    const report = await killAtDeliverySteps({ deaths: DEATHS, database: { GRANTWAY_DATA_DIR: folder } })
    await rm(folder, { recursive: true, force: true })
    // One request died before its commit and has made nothing.
    assert.equal(report.grants, DEATHS.length - 1)
    // Two deaths lie between the answer of the receiver and the commit of the outcome.
    assert.equal(report.duplicates, 2)
  })
})
