import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLanes } from './lanes.ts'

function begin(lanes: ReturnType<typeof createLanes>, lane: string, times: number): void {
  for (let time = 0; time < times; time += 1) lanes.begin(lane)
}

test('one destination gets 8 at once, a failing one 2', () => {
  const lanes = createLanes()
  assert.equal(lanes.freeOf('a', false), 8)
  assert.equal(lanes.freeOf('a', true), 2)
  begin(lanes, 'a', 8)
  assert.equal(lanes.freeOf('a', false), 0)
  assert.equal(lanes.freeOf('b', false), 8)
  lanes.end('a')
  assert.equal(lanes.freeOf('a', false), 1)
})

test('all destinations together get 256 at once, and room there is told once', () => {
  const lanes = createLanes()
  for (let lane = 0; lane < 32; lane += 1) begin(lanes, String(lane), 8)
  assert.equal(lanes.freeOf('b', false), 0)
  assert.equal(lanes.hasRoom(), false)
  assert.equal(lanes.end('0'), true)
  assert.equal(lanes.end('0'), false)
  assert.equal(lanes.hasRoom(), true)
})

test('tells when half of a destination that has more is free', () => {
  const lanes = createLanes()
  begin(lanes, 'a', 8)
  lanes.noteMore('a')
  assert.deepEqual(
    Array.from({ length: 6 }, () => lanes.end('a')),
    [false, false, false, true, false, false],
  )
})
