// A server whose process is killed (as by kill -9) at the nth step of its database work after it was armed: started by
// the crash tests, in a process of its own. A step is one call of a store outside a transaction, or one transaction;
// KILL_WHEN says whether it dies before the step is begun or after it is durable.
import { startServer } from '../../src/app/serve.ts'
import { createLogger } from '../../src/app/logger.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Database, Stores } from '../../src/core/ports/stores.ts'

const killAt = Number(process.env['KILL_AT'] ?? 0)
const killBefore = process.env['KILL_WHEN'] === 'before'
let step = 0
let armed = false

async function stepped<T>(work: () => Promise<T>): Promise<T> {
  if (!armed) return work()
  step += 1
  const isLast = step === killAt
  if (isLast && killBefore) die()
  const result = await work()
  if (isLast) die()
  return result
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function killable(database: Database): Database {
  return {
    ...database,
    stores: killableStores(database.stores),
    transaction: (work) => stepped(() => database.transaction(work)),
  }
}

function killableStores(stores: Stores): Stores {
  return new Proxy(stores, {
    get(target, name: keyof Stores) {
      return new Proxy(target[name], {
        get: (store: object, method) => {
          const found: unknown = Reflect.get(store, method)
          if (typeof found !== 'function') return found
          return (...args: unknown[]) => stepped(() => Promise.resolve(Reflect.apply(found, store, args)))
        },
      })
    },
  })
}

const config = loadConfig()
const server = await startServer(config, 'all', createLogger(config.logLevel), { wrapDatabase: killable })
armed = killAt > 0
process.stdout.write(`${JSON.stringify({ event: 'listening', url: server.url })}\n`)
process.on('SIGTERM', () => void server.stop())
