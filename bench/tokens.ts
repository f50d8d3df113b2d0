// B4: access tokens from the cache of a composed application: provider calls, database statements, and how many
// a second one core gives; beside a bare look-up in the same kind of cache.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { compose } from '../src/app/compose.ts'
import { loadConfig } from '../src/config/load.ts'
import type { GrantRecord } from '../src/core/ports/records.ts'
import type { Database, Stores } from '../src/core/ports/stores.ts'
import { silentLogger } from '../src/kit/logger.ts'
import { connectGrants } from './connect-grants.ts'
import type { Figure } from './figure.ts'
import { startInstantProvider } from './instant-provider.ts'
import { API_KEY } from './server-child.ts'

const GRANTS = 500
const TOKENS = 400_000

export async function measureTokens(): Promise<readonly Figure[]> {
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const provider = await startInstantProvider()
  const counted = { calls: 0 }
  const config = loadConfig({
    GRANTWAY_PORT: '0',
    GRANTWAY_DATA_DIR: join(data, 'data'),
    GRANTWAY_API_KEY: API_KEY,
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    ...provider.environment,
  })
  const application = await compose({
    config,
    log: silentLogger,
    runsJobs: false,
    wrapDatabase: (database) => counting(database, counted),
  })
  try {
    const url = await application.http.listen({ host: '127.0.0.1', port: 0 })
    await connectGrants(url, API_KEY, GRANTS)
    const [owner] = await application.database.stores.applications.list()
    if (!owner) throw new Error('the application is missing')
    const page = { limit: 200, offset: 0, by: 'created_at', order: 'asc' } as const
    const grants = await application.database.stores.grants.list(owner.id, {}, page)
    const { accessTokens } = application
    for (const grant of grants) await accessTokens.current(grant) // fills the cache
    await accessTokens.flushUses()
    const before = { database: counted.calls, provider: provider.tokenCalls.length }
    const rate = await rateOf(grants, (grant) => accessTokens.current(grant))
    const databaseCalls = counted.calls - before.database
    const cache = new LRUCache<string, object>({ max: 20_000 })
    for (const grant of grants) cache.set(grant.id, {})
    const bare = await rateOf(grants, async (grant) => cache.get(grant.id))
    return [
      { name: 'provider calls', value: provider.tokenCalls.length - before.provider, unit: '', bar: 0 },
      { name: 'database reads and writes', value: databaseCalls, unit: '', bar: 0 },
      { name: 'tokens from the cache, one core', value: Math.round(rate), unit: '/s', atLeast: 4000 },
      {
        name: 'tokens from the cache ÷ a bare cache look-up',
        value: Math.round((rate / bare) * 100) / 100,
        unit: '',
      },
    ]
  } finally {
    await application.close()
    await provider.stop()
    rmSync(data, { recursive: true })
  }
}

/** @returns how many a second */
async function rateOf(
  grants: readonly GrantRecord[],
  use: (grant: GrantRecord) => Promise<unknown>,
): Promise<number> {
  const began = performance.now()
  for (let done = 0; done < TOKENS; done += grants.length) for (const grant of grants) await use(grant)
  return TOKENS / ((performance.now() - began) / 1000)
}

/** Counts every call of a store, in and out of transactions. */
function counting(database: Database, counted: { calls: number }): Database {
  const wrapped = (stores: Stores): Stores =>
    Object.fromEntries(
      Object.entries(stores).map(([name, store]) => [
        name,
        new Proxy(store as object, {
          get(target, method) {
            counted.calls += 1
            return Reflect.get(target, method) as unknown
          },
        }),
      ]),
    ) as unknown as Stores
  return {
    ...database,
    stores: wrapped(database.stores),
    transaction: (work) => database.transaction((stores) => work(wrapped(stores))),
  }
}
