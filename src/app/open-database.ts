import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Database } from '../core/ports/stores.ts'
import { AppError } from '../kit/app-error.ts'
import type { Clock } from '../kit/clock.ts'
import type { Ids } from '../kit/ids.ts'
import type { Logger } from '../kit/logger.ts'
import { takeProcessLock } from '../storage/process-lock.ts'
import { StartError } from './start-error.ts'

/** The data folder is another process's. */
export class DataFolderInUseError extends StartError {}

/**
 * Opens the configured database; for the embedded one takes the data folder first, and gives it free on close.
 *
 * @throws DataFolderInUseError when another process has the folder
 * @throws StartError when the database can't be reached or opened
 */
export async function openDatabase(
  config: Config,
  deps: { readonly clock: Clock; readonly ids: Ids; readonly logger: Logger },
): Promise<Database> {
  if (config.databaseUrl) {
    const url = config.databaseUrl.open()
    // Only one of the engines is loaded.
    const { openPostgresDatabase } = await import('../storage/engines/postgres.ts')
    return openPostgresDatabase({
      url,
      poolSize: config.databasePoolSize,
      ids: deps.ids,
      logger: deps.logger,
    }).catch((cause: unknown) => {
      const why = cause instanceof AppError ? (cause.extras.detail ?? cause.message) : String(cause)
      throw new StartError(`The database of GRANTWAY_DATABASE_URL can't be reached: ${why}`, { cause })
    })
  }
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const lock = takeProcessLock(config.dataDir)
  if (!lock) {
    throw new DataFolderInUseError(
      `Another grantway process uses the data folder ${config.dataDir}. One process at a time can; for more ` +
        'processes set GRANTWAY_DATABASE_URL (PostgreSQL).',
    )
  }
  try {
    const path = join(config.dataDir, 'grantway.db')
    const { openSqliteDatabase } = await import('../storage/engines/sqlite.ts')
    const database = await openSqliteDatabase({ path, ...deps })
    return {
      ...database,
      async close() {
        await database.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}
