import assert from 'node:assert/strict'

/** Processor time that one input may take: the machine may be busy with others. */
const MOST_CPU_MS = 1_000
const MOST_WALL_MS = 20_000

/** Runs `work` and fails when it takes too long. */
export async function soon<T>(work: () => T | Promise<T>): Promise<T> {
  const [before, startedAt] = [process.cpuUsage(), performance.now()]
  const result = await work()
  const { user } = process.cpuUsage(before)
  assert.ok(user / 1000 < MOST_CPU_MS, `took ${Math.round(user / 1000)} ms of processor time`)
  assert.ok(performance.now() - startedAt < MOST_WALL_MS, 'hung')
  return result
}
