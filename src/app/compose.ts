import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/schema.ts'
import type { Services } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import { EncryptionKeyError, loadDataKeys } from '../core/vault/data-keys.ts'
import { createVault } from '../core/vault/vault.ts'
import { createHttpServer } from '../http/server.ts'
import { silentTelemetry } from '../core/ports/telemetry.ts'
import { type Jobs, startJobs } from '../jobs/start-jobs.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { type Ids, randomIds } from '../kit/ids.ts'
import type { Logger } from '../kit/logger.ts'
import { bootstrap } from './bootstrap.ts'
import { operatorKeys } from './encryption-keys.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { openDatabase } from './open-database.ts'
import { createProviders } from './providers.ts'
import { createServices } from './services.ts'
import { StartError } from './start-error.ts'
import { packageVersion } from './version.ts'

/** The application put together, not listening yet. */
export interface Application {
  readonly database: Database
  readonly services: Services
  readonly http: FastifyInstance
  readonly metrics: Metrics
  /** null in a process that runs no background work */
  readonly jobs: Jobs | null
  /** Ends background work, waits for answers that are under way, closes pools and the database. */
  close(): Promise<void>
}

export interface ComposeOptions {
  readonly config: Config
  readonly log: Logger
  /** Whether this process runs background jobs. */
  readonly runsJobs: boolean
  readonly showKey?: (key: string, path: string) => void
  readonly clock?: Clock
  readonly ids?: Ids
  /** Wraps the database, for tests that end the process at any of its steps. */
  readonly wrapDatabase?: (database: Database) => Database
}

/** Requests hold at most this; contract/email.md G16 wants well above 3 MB. */
const BODY_LIMIT_BYTES = 40 * 1024 * 1024

/**
 * Opens the database, migrates it, checks the encryption key before anything is written, and puts everything
 * together. The only place that names engine, server, jobs and (through providers.ts) concrete providers.
 *
 * @throws StartError
 */
export async function compose(options: ComposeOptions): Promise<Application> {
  const { config, log, clock = systemClock, ids = randomIds } = options
  const opened = await openDatabase(config, { clock, ids, logger: log })
  const database = options.wrapDatabase?.(opened) ?? opened
  try {
    const applied = await database.migrate()
    if (applied.length > 0) log.info({ applied }, 'database.migrated')
    const vault = createVault(
      await loadDataKeys({ database, operatorKeys: operatorKeys(config, log), clock, ids }).catch(
        asStartError,
      ),
    )
    const outbound = createProviders(config, { clock, log, database })
    const { services, accessTokens } = createServices({ database, vault, clock, ids, log, ...outbound })
    await bootstrap(config, services, { log, ...(options.showKey ? { showKey: options.showKey } : {}) })
    const metrics = createMetrics()
    const http = await createHttpServer({
      services,
      logger: log,
      trustedProxies: config.trustedProxies,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      version: packageVersion(),
      metrics: { ...metrics, ...(config.metrics.token ? { token: config.metrics.token } : {}) },
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
      async readiness() {
        await database.ping()
        return (await database.pendingMigrations()).length === 0
      },
    })
    const { userHosts } = outbound
    const jobDeps = { database, vault, accessTokens, userHosts, telemetry: silentTelemetry, clock, ids, log }
    const jobs = options.runsJobs ? startJobs(jobDeps) : null
    return {
      database,
      services,
      http,
      metrics,
      jobs,
      async close() {
        await http.close()
        await jobs?.stop()
        await accessTokens.idle()
        await outbound.close()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

function asStartError(error: unknown): never {
  throw error instanceof EncryptionKeyError ? new StartError(error.message, { cause: error }) : error
}
