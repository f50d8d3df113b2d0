import { applicationId } from '../../contract/ids.ts'
import type { Config } from '../../config/schema.ts'
import type { ImportOptions, RawRow, RowResult } from '../../core/ports/import.ts'
import { AppError } from '../../kit/app-error.ts'
import { sleep } from '../../kit/deadline.ts'
import { isJsonObject } from '../../kit/json.ts'
import type { Logger } from '../../kit/logger.ts'
import { AdminCommandFailed, callAdminSocket } from '../admin-socket/client.ts'
import { theApplication } from '../admin-commands.ts'
import { compose, type ComposeOptions } from '../compose.ts'
import { DataFolderInUseError } from '../open-database.ts'
import { StartError } from '../start-error.ts'

/** Where the rows of an import go. */
export interface ImportTarget {
  /** rows of a batch that suits it */
  readonly batchRows: number
  importBatch(rows: readonly RawRow[], options: ImportOptions): Promise<readonly RowResult[]>
  close(): Promise<void>
}

/** A transaction per batch: in a large one a page of an index is written once for many rows. Nobody else waits for it here. */
const BATCH_ROWS = 4000
/** Beside a running server short ones, since its requests wait meanwhile. */
const BATCH_ROWS_BESIDE_SERVE = 200
/** One wave of providers asked at once. */
const BATCH_ROWS_VERIFIED = 64
const VERIFIED_DEADLINE_MS = 600_000
const BATCH_DEADLINE_MS = 60_000

const RETRY_EVERY_MS = 1_000
/** A database that restarts or fails over is back by then. */
const RETRY_FOR_MS = 120_000

/**
 * Opens the database for an import; beside a running `serve` on the embedded one, has the server do the writing.
 * @throws StartError for an application that is not there
 */
export async function openImportTarget(
  config: Config,
  log: Logger,
  wanted: { readonly applicationId?: string; readonly verify: ImportOptions['verify'] },
  overrides: Partial<ComposeOptions> = {},
): Promise<ImportTarget> {
  const isVerified = wanted.verify === 'now'
  try {
    const application = await compose({ config, log, runsJobs: false, ...overrides })
    try {
      const { services } = application
      const caller = {
        applicationId: await theApplication(services, wanted.applicationId),
        actor: 'cli',
      }
      return {
        batchRows: isVerified ? BATCH_ROWS_VERIFIED : BATCH_ROWS,
        importBatch: (rows, options) =>
          patiently(() => services.imports.importRows(caller, rows, options), isUnavailable),
        close: () => application.close(),
      }
    } catch (error) {
      await application.close()
      throw error
    }
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error
    return openBesideServe(config, wanted.applicationId, isVerified)
  }
}

async function openBesideServe(
  config: Config,
  wanted: string | undefined,
  isVerified: boolean,
): Promise<ImportTarget> {
  const opened = await callAdminSocket(config.dataDir, {
    name: 'import.open',
    ...(wanted === undefined ? {} : { applicationId: wanted }),
  }).catch((error: unknown) => {
    throw error instanceof AdminCommandFailed ? new StartError(error.message, { cause: error }) : error
  })
  const id = isJsonObject(opened) ? opened['application_id'] : undefined
  if (typeof id !== 'string') throw new StartError('The running server can not import: it may be older.')
  const deadlineMs = isVerified ? VERIFIED_DEADLINE_MS : BATCH_DEADLINE_MS
  return {
    batchRows: isVerified ? BATCH_ROWS_VERIFIED : BATCH_ROWS_BESIDE_SERVE,
    async importBatch(rows, options) {
      const command = { name: 'import.batch', applicationId: applicationId(id), rows, options } as const
      const answer = await patiently(
        () => callAdminSocket(config.dataDir, command, deadlineMs),
        (error) => error instanceof AdminCommandFailed && error.status === 503,
      )
      // Our own server's answer, over a socket that only this user can reach.
      return answer as readonly RowResult[]
    },
    close: () => Promise.resolve(),
  }
}

/** Sends a batch again while the database is away: rows that were written are recognised. */
async function patiently<T>(work: () => Promise<T>, isAway: (error: unknown) => boolean): Promise<T> {
  const untilMs = performance.now() + RETRY_FOR_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error) || performance.now() > untilMs) throw error
      await sleep(RETRY_EVERY_MS)
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.status === 503
}
