import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTorture } from './run-torture.ts'

// The short form of `npm run torture`, with the same code. The seed is printed: it chooses what is done to whom, not
// when a process gets to run.
test('60 s of kills, pauses, cut answers and database restarts: no token is lost or spent twice', async () => {
  const seed = Date.now() % 1_000_000
  const { summary, violations, oddities } = await runTorture({
    seed,
    grants: 200,
    processes: 4,
    refreshes: 10_000,
    seconds: 60,
  })
  console.log(summary)
  assert.deepEqual(violations, [])
  assert.deepEqual(oddities, [])
  for (const name of ['refreshes', 'kills', 'long stops', 'liveness cuts', 'database restarts']) {
    assert.ok(Number(summary[name]) > 0, name)
  }
})
