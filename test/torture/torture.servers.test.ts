import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTorture } from './run-torture.ts'

// The short forms of `npm run torture`, with the same code. The seed is printed: it chooses what is done to whom, not
// when a process gets to run. Pauses longer than a lease and outages come apart: a process that is stopped and also
// loses its connection counts as dead (docs/decisions/0016), and its answer as lost.
for (const [without, wanted] of [
  ['outages', ['refreshes', 'kills', 'long stops']],
  ['long stops', ['refreshes', 'kills', 'liveness cuts', 'database restarts']],
] as const) {
  test(`30 s of kills, pauses and cut answers, without ${without}: no token is lost or spent twice`, async () => {
    const seed = Date.now() % 1_000_000
    const { summary, violations, oddities } = await runTorture({
      seed,
      grants: 200,
      processes: 4,
      refreshes: 10_000,
      seconds: 30,
      without,
    })
    console.log(summary)
    assert.deepEqual(violations, [])
    assert.deepEqual(oddities, [])
    for (const name of wanted) assert.ok(Number(summary[name]) > 0, name)
  })
}
