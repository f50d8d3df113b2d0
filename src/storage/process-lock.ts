import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isSqliteBusy } from './engines/sqlite-errors.ts'

export interface ProcessLock {
  /** Gives the folder free. Doing it again is harmless. */
  release(): void
}

/**
 * Takes a data folder for this process: a SQLite file of its own, held in an exclusive transaction. The
 * operating system frees it however the process ends, also after `kill -9`, and no stale file can hold it.
 *
 * @returns null when another process has the folder
 * @throws Error when the folder is missing or can't be written
 */
export function takeProcessLock(dataDir: string): ProcessLock | null {
  const path = join(dataDir, 'process.lock')
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if (isSqliteBusy(error)) return null
    throw error
  }
  return {
    release() {
      if (database.isOpen) database.close()
    },
  }
}
