import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RateStore } from '../ports/event-stores.ts'
import { type Allowance, createAllowance, type Limit } from './allowance.ts'

const START_MS = 1_767_225_600_000
const PER_SECOND: Limit = { name: 'data', most: 200, windowMs: 1000 }
const PER_MINUTE: Limit = { name: 'detect', most: 20, windowMs: 60_000 }

interface World {
  nowMs: number
  takes: number
  readonly rates: Pick<RateStore, 'take'>
}

/** A shared window as the database keeps it, in a time of its own. */
function world(latencyMs = 0): World {
  const used = new Map<string, number>()
  const made: World = {
    nowMs: START_MS,
    takes: 0,
    rates: {
      take(key, limit, windowMs, want) {
        made.takes += 1
        made.nowMs += latencyMs
        const startMs = Math.floor(made.nowMs / windowMs) * windowMs
        const before = used.get(`${key} ${startMs}`) ?? 0
        used.set(`${key} ${startMs}`, before + want)
        const windowEndsInMs = startMs + windowMs - made.nowMs
        made.nowMs += latencyMs
        return Promise.resolve({ granted: Math.max(0, Math.min(want, limit - before)), windowEndsInMs })
      },
    },
  }
  return made
}

const processOf = (made: World, limit: Limit, skewMs = 0): Allowance =>
  createAllowance(
    { rates: made.rates, clock: { nowMs: () => made.nowMs + skewMs }, onAway: () => assert.fail() },
    limit,
    'k',
  )

/** Small, and the same in every run. */
function dice(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * most)
  }
}

test('processes together never let more pass than the limit within a window of the database', async () => {
  for (const limit of [PER_SECOND, { ...PER_SECOND, most: 50 }, PER_MINUTE]) {
    const made = world()
    const roll = dice(limit.most)
    const nodes = [0, 700, -3500].map((skewMs) => processOf(made, limit, skewMs))
    const passed = new Map<number, number>()
    for (let step = 0; step < 6000; step += 1) {
      made.nowMs += roll(8) * roll(limit.windowMs / 200)
      const waits = await Promise.all(nodes.slice(0, 1 + roll(3)).map((node) => node.spend()))
      const window = Math.floor(made.nowMs / limit.windowMs)
      passed.set(window, (passed.get(window) ?? 0) + waits.filter((wait) => wait === 0).length)
    }
    const most = Math.max(...passed.values())
    assert.ok(passed.size > 3)
    assert.ok(most <= limit.most, `${most} of ${limit.most}`)
    assert.ok(most > limit.most * 0.7, `only ${most} of ${limit.most}`)
  }
})

test('one process alone may spend the whole limit, in each window', async () => {
  for (const limit of [PER_SECOND, { ...PER_SECOND, most: 50 }, PER_MINUTE]) {
    const made = world()
    const node = processOf(made, limit)
    for (let window = 0; window < 3; window += 1) {
      let passed = 0
      while ((await node.spend()) === 0) passed += 1
      assert.equal(passed, limit.most)
      assert.ok(node.refusedForMs() > 0)
      made.nowMs += limit.windowMs
    }
  }
})

test('a second begins anywhere: a share is not spent twice around its turn', async () => {
  const made = world()
  const node = processOf(made, PER_SECOND)
  made.nowMs += 900
  for (let at = 0; at < 4; at += 1) await node.spend()
  assert.equal(made.takes, 1, 'the first share of four')
  made.nowMs += 200
  await node.spend()
  assert.equal(made.takes, 2, 'a block: the four were within this second')
  made.nowMs += 900
  await node.spend()
  assert.equal(made.takes, 2)
})

test('a database slower than the window is asked a few times, not for ever', async () => {
  const made = world(900)
  const node = processOf(made, { ...PER_SECOND, most: 50 })
  for (let at = 0; at < 20; at += 1) assert.equal(await node.spend(), 0)
  assert.ok(made.takes < 20)
})

test('a clock that is set back gives up what was held', async () => {
  const made = world()
  const node = processOf(made, PER_MINUTE)
  while ((await node.spend()) === 0);
  made.nowMs -= 3_600_000
  assert.equal(await node.spend(), 0)
})
