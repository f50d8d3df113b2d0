// `grantway import` in a process that dies (as by kill -9) at the nth step of its database work, counted from its first
// look-up: started by the crash tests. A step is one look-up or one transaction. KILL_AT tells which step (none: it lives
// on), KILL_WHEN whether before the step is begun or after it is durable.
import { importGrants } from '../../src/app/import/import-grants.ts'
import { createLogger } from '../../src/app/logger.ts'
import { loadConfig } from '../../src/config/load.ts'
import { noCounts } from '../../src/core/import/run-import.ts'
import type { Database } from '../../src/core/ports/stores.ts'

const killAt = Number(process.env['KILL_AT'] ?? 0)
const killsBefore = process.env['KILL_WHEN'] === 'before'
let step = 0

async function stepped<T>(work: () => Promise<T>): Promise<T> {
  step += 1
  const isLast = step === killAt
  if (isLast && killsBefore) process.kill(process.pid, 'SIGKILL')
  const result = await work()
  if (isLast) process.kill(process.pid, 'SIGKILL')
  return result
}

function killable(database: Database): Database {
  const imports = new Proxy(database.stores.imports, {
    get: (store, name) => {
      const found: unknown = Reflect.get(store, name)
      if (typeof found !== 'function') return found
      return (...args: unknown[]) => stepped(() => Promise.resolve(Reflect.apply(found, store, args)))
    },
  })
  return {
    ...database,
    stores: { ...database.stores, imports },
    // The start of the process is not the import's.
    transaction: (work) =>
      step === 0 ? database.transaction(work) : stepped(() => database.transaction(work)),
  }
}

const counts = noCounts()
await importGrants(
  loadConfig(),
  createLogger('warn'),
  {
    file: process.env['IMPORT_FILE'] ?? '',
    verify: 'lazy',
    dryRun: false,
    events: true,
    signal: new AbortController().signal,
    counts,
    onProgress() {},
    onFailure: ({ line, error }) => process.stderr.write(`${line}: ${error.message}\n`),
    onIgnored() {},
  },
  { batchRows: 50, compose: { wrapDatabase: killable } },
)
process.stdout.write(`${JSON.stringify({ ...counts, steps: step })}\n`)
