// Rotates the data keys in a process of its own, which is killed (as by kill -9) at the nth write of the rotation: before
// it is begun or after it is durable (KILL_AT, KILL_WHEN). Ends with 0 when there are fewer. Started by the crash tests.
import { compose } from '../../src/app/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import { silentLogger } from '../../src/kit/logger.ts'

const { KILL_AT, KILL_WHEN, ...environment } = process.env
let isArmed = false
let writes = 0

async function write<T>(work: () => Promise<T>): Promise<T> {
  if (!isArmed) return work()
  writes += 1
  const isLast = writes === Number(KILL_AT)
  if (isLast && KILL_WHEN === 'before') process.kill(process.pid, 'SIGKILL')
  const result = await work()
  if (isLast) process.kill(process.pid, 'SIGKILL')
  return result
}

function killable(database: Database): Database {
  const { dataKeys, sealed } = database.stores
  return {
    ...database,
    stores: {
      ...database.stores,
      dataKeys: { ...dataKeys, close: (ids) => write(() => dataKeys.close(ids)) },
      sealed: {
        ...sealed,
        replace: (table, rows) =>
          rows.length === 0 ? Promise.resolve(0) : write(() => sealed.replace(table, rows)),
      },
    },
    transaction: (work) => write(() => database.transaction(work)),
  }
}

const config = loadConfig(environment)
const application = await compose({
  config,
  log: silentLogger,
  runsJobs: false,
  keyTakeUpMs: 0,
  wrapDatabase: killable,
})
isArmed = true
let step = await application.keyRotation.begin('cli')
while (step.kind === 'more') step = await application.keyRotation.step(step.state, 'cli')
isArmed = false
await application.close()
