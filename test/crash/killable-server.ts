// A server whose process is killed (as by kill -9) at the nth step of its database work after a request said so: started
// by the crash tests, in a process of its own. A step is one call of a store outside a transaction, or one transaction.
// The request that is to die carries `x-kill-at` (which step, counted from that request) and `x-kill-when` (before the
// step is begun, or after it is durable).
import { startServer } from '../../src/app/serve.ts'
import { createLogger } from '../../src/app/logger.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Database, Stores } from '../../src/core/ports/stores.ts'

let killAt = 0
let killBefore = false
let step = 0

async function stepped<T>(work: () => Promise<T>): Promise<T> {
  if (killAt === 0) return work()
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
server.application.http.server.prependListener('request', ({ headers }) => {
  if (headers['x-kill-at'] === undefined) return
  killAt = Number(headers['x-kill-at'])
  killBefore = headers['x-kill-when'] === 'before'
  step = 0
})
process.stdout.write(`${JSON.stringify({ event: 'listening', url: server.url })}\n`)
process.on('SIGTERM', () => void server.stop())
