import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { patientDeadline } from './deadline.ts'

/** Nothing in this process runs meanwhile, as when it is stopped; the system goes on. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const fired = (deadline: AbortSignal) =>
  new Promise<'deadline'>((resolve) => {
    deadline.addEventListener('abort', () => resolve('deadline'), { once: true })
  })

test('an answer that came while the process was paused counts, though the deadline has passed', async () => {
  const answer = stat(import.meta.filename).then(() => 'answer')
  const deadline = fired(patientDeadline(20))
  pause(300)
  assert.equal(await Promise.race([answer, deadline]), 'answer')
})

test('an answer that came just before the deadline counts, though the process was too busy to read it', async () => {
  const answer = stat(import.meta.filename).then(() => 'answer')
  const deadline = fired(patientDeadline(20))
  pause(60)
  assert.equal(await Promise.race([answer, deadline]), 'answer')
})

test('without an answer the deadline fires, with and without a pause', async () => {
  const deadlines = [patientDeadline(20), patientDeadline(1_000)]
  pause(300)
  await Promise.all(deadlines.map(fired))
  for (const { reason } of deadlines) assert.equal(reason.name, 'TimeoutError')
})
