// B7: refreshes in the background at a provider that takes 200 ms, one node, at the default rate (GRANTWAY_REFRESH_RATE).
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { connectGrants } from './connect-grants.ts'
import type { Figure } from './figure.ts'
import { startInstantProvider } from './instant-provider.ts'
import { API_KEY, SERVE, start, stop } from './server-child.ts'

const GRANTS = 3000
const PROVIDER_MS = 200
const RATE = 120
const MEASURED_MS = 20_000

export async function measureRefreshAhead(): Promise<readonly Figure[]> {
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const provider = await startInstantProvider()
  const environment = { GRANTWAY_DATA_DIR: join(data, 'data'), ...provider.environment }
  try {
    const first = await start(SERVE, environment)
    await connectGrants(first.url, API_KEY, GRANTS, 32)
    await stop(first)
    const database = new DatabaseSync(join(data, 'data', 'grantway.db'))
    database.exec('update grant_secrets set next_refresh_at_ms = 1')
    database.close()
    provider.delayTokens(PROVIDER_MS)
    const before = provider.tokenCalls.length
    const server = await start(SERVE, environment)
    await later(MEASURED_MS)
    await stop(server)
    const calls = provider.tokenCalls.slice(before)
    const began = calls[0] ?? 0
    const inTime = calls.filter((at) => at < began + MEASURED_MS - 1000)
    const perHour = Math.round((inTime.length / (MEASURED_MS - 1000)) * 3_600_000)
    return [
      {
        name: `refreshed at a provider of ${PROVIDER_MS} ms`,
        value: perHour,
        unit: 'grants/h',
        atLeast: 300_000,
      },
      {
        name: 'refreshed ÷ what the rate allows',
        value: Math.round((perHour / (RATE * 3600)) * 100) / 100,
        unit: '',
      },
      { name: 'most in any second', value: mostInASecond(calls), unit: 'calls', bar: RATE },
    ]
  } finally {
    await provider.stop()
    rmSync(data, { recursive: true })
  }
}

/** In the busiest second, wherever it begins. */
function mostInASecond(calls: readonly number[]): number {
  let most = 0
  let first = 0
  for (const [at, time] of calls.entries()) {
    while ((calls[first] ?? time) <= time - 1000) first += 1
    most = Math.max(most, at - first + 1)
  }
  return most
}
