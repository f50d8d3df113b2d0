// A server whose process is killed (as by kill -9) at the nth step of its database work after a request said so: started
// by the crash tests, in a process of its own. A step is one call of a store outside a transaction, or one transaction.
// The request that is to die carries `x-kill-at` (which step, counted from that request) and `x-kill-when` (before the
// step is begun, or after it is durable). Background work has no fixed number of steps and would upset the count: it runs
// only with the argument `--with-jobs`, and then a request carries `x-kill-in`: the process dies at the next call of that
// store's method (`jobs.claim`), inside a transaction before that call or after the commit. What begins without a request
// is named by the arguments `--kill-in=` and `--kill-when=`. With `--mailbox=<url>` virtual calendars send mail: there.
import { startServer } from '../../src/app/serve.ts'
import { createLogger } from '../../src/app/logger.ts'
import { loadConfig } from '../../src/config/load.ts'
import { withRemoteMailbox } from './remote-mailbox.ts'
import type { Database, Liveness, Stores } from '../../src/core/ports/stores.ts'

let killAt = 0
let killIn = ''
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

/** Runs a call of a store, which may be the one to die at. */
async function named<T>(name: string, work: () => Promise<T>, dieAfter: () => void): Promise<T> {
  if (killIn !== name) return work()
  if (killBefore) die()
  const result = await work()
  dieAfter()
  return result
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** Here everybody who is gone was killed, so nobody need wait until a lost connection has been made anew. */
function certain(liveness: Liveness): Liveness {
  return {
    self: liveness.self,
    isAlive: (holder) => liveness.isAlive(holder),
    mayAnswer: ({ holder }) => liveness.mayAnswer({ holder, startedAtMs: 0 }),
  }
}

function killable(database: Database): Database {
  return {
    ...database,
    liveness: certain(database.liveness),
    stores: killableStores(database.stores, (name, call) => named(name, () => stepped(call), die)),
    transaction: (work) =>
      stepped(async () => {
        let dies = false
        const onCall: OnCall = (name, call) =>
          named(name, call, () => {
            dies = true
          })
        const result = await database.transaction((stores) => work(killableStores(stores, onCall)))
        if (dies) die()
        return result
      }),
  }
}

type OnCall = (name: string, call: () => Promise<unknown>) => Promise<unknown>

function killableStores(stores: Stores, onCall: OnCall): Stores {
  return new Proxy(stores, {
    get(target, storeName: keyof Stores) {
      return new Proxy(target[storeName], {
        get: (store: object, method) => {
          const found: unknown = Reflect.get(store, method)
          if (typeof found !== 'function') return found
          return (...args: unknown[]) =>
            onCall(`${storeName}.${String(method)}`, () => Promise.resolve(Reflect.apply(found, store, args)))
        },
      })
    },
  })
}

const argument = (name: string) =>
  process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3)
killIn = argument('kill-in') ?? ''
killBefore = argument('kill-when') === 'before'
const mailboxUrl = argument('mailbox')
const config = loadConfig()
const server = await startServer(config, 'all', createLogger(config.logLevel), {
  wrapDatabase: killable,
  runsJobs: process.argv.includes('--with-jobs'),
  ...(mailboxUrl === undefined ? {} : { wrapProviders: (known) => withRemoteMailbox(known, mailboxUrl) }),
})
server.application.http.server.prependListener('request', ({ headers }) => {
  if (headers['x-kill-at'] === undefined && headers['x-kill-in'] === undefined) return
  killAt = Number(headers['x-kill-at'] ?? 0)
  killIn = String(headers['x-kill-in'] ?? '')
  killBefore = headers['x-kill-when'] === 'before'
  step = 0
})
process.stdout.write(`${JSON.stringify({ event: 'listening', url: server.url })}\n`)
process.on('SIGTERM', () => void server.stop())
