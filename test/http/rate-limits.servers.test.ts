import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let postgres: TestPostgres
let nodes: readonly GrantwayApp[] = []

before(async () => {
  postgres = await startPostgres()
  const environment = {
    GRANTWAY_DATABASE_URL: await postgres.createDatabase(),
    GRANTWAY_RATE_LIMIT_FACTOR: '1',
    GRANTWAY_API_KEY: `shared-limits-${randomBytes(24).toString('hex')}`,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  }
  const first = await startGrantway(environment)
  nodes = [first, await startGrantway(environment)]
})
after(async () => {
  for (const node of nodes) await node.stop()
  await postgres.stop()
})

test('two servers over one PostgreSQL let no more pass than one', async () => {
  const minuteNow = () => Math.floor(Date.now() / 60_000)
  const began = minuteNow()
  const answers = await Promise.all(
    nodes.flatMap((node) =>
      Array.from({ length: 40 }, () => node.call('POST', '/v3/providers/detect?email=a@gmail.com')),
    ),
  )
  const passed = answers.filter(({ status }) => status === 200).length
  const refused = answers.filter(({ status }) => status === 429)
  assert.equal(passed + refused.length, 80)
  // The minute may turn while they are asked.
  const minutes = minuteNow() - began + 1
  assert.ok(passed >= 20 && passed <= 20 * minutes, `${passed} passed in ${minutes} minutes`)
  for (const { headers, body } of refused) {
    assert.equal(body.error.type, 'api.rate_limit_error')
    assert.ok(Number(headers.get('retry-after')) >= 1)
  }
})
