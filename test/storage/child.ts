/*
 * A process of its own for tests that kill one. It does what its arguments say, prints a line of JSON and
 * then lives until it is killed, or until whoever started it is gone.
 *   child.ts commit FILE N    commits N applications, one by one, leaves one open, prints their ids
 *   child.ts lock FOLDER      takes the process lock, prints whether it got it
 */
import { randomIds } from '../../src/kit/ids.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { openSqliteDatabase } from '../../src/storage/engines/sqlite.ts'
import { takeProcessLock } from '../../src/storage/process-lock.ts'
import { anApplication } from './records.ts'

const [task, path = '', count = '0'] = process.argv.slice(2)
process.stdin.resume().on('end', () => process.exit())

if (task === 'commit') {
  const database = await openSqliteDatabase({
    path,
    clock: systemClock,
    ids: randomIds,
    logger: silentLogger,
  })
  await database.migrate()
  const committed: string[] = []
  for (let at = 0; at < Number(count); at++) {
    const record = anApplication()
    await database.transaction((inside) => inside.applications.insert(record))
    committed.push(record.id)
  }
  const open = anApplication()
  await database.transaction(async (inside) => {
    await inside.applications.insert(open)
    console.log(JSON.stringify({ committed, open: open.id }))
    await new Promise(() => {})
  })
}

if (task === 'lock') {
  const lock = takeProcessLock(path)
  console.log(JSON.stringify({ taken: lock !== null }))
}
