import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/schema.ts'
import type { AccessTokens } from '../core/grants/access-tokens.ts'
import type { Services } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import { EncryptionKeyError } from '../core/vault/data-keys.ts'
import { type KeyRing, openKeyRing } from '../core/vault/key-ring.ts'
import { createKeyRotation, type KeyRotation } from '../core/vault/rotate-keys.ts'
import { createVault } from '../core/vault/vault.ts'
import { createHttpServer } from '../http/server.ts'
import { startLoop } from '../jobs/loop.ts'
import { type Jobs, startJobs } from '../jobs/start-jobs.ts'
import { startUseFlush } from '../jobs/use-flush.ts'
import type { Loop } from '../jobs/loop.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { type Ids, randomIds } from '../kit/ids.ts'
import type { Logger } from '../kit/logger.ts'
import { boundUrl } from './bound-url.ts'
import { bootstrap } from './bootstrap.ts'
import { operatorKeys } from './encryption-keys.ts'
import { createMetrics, type Metrics } from './metrics/create-metrics.ts'
import { operatorMailer } from './operator-mailer.ts'
import { openDatabase } from './open-database.ts'
import { createProviders, type Outbound } from './providers.ts'
import { createServices } from './services.ts'
import { StartError } from './start-error.ts'
import { packageVersion } from './version.ts'

/** The application put together, not listening yet. */
export interface Application {
  readonly database: Database
  readonly services: Services
  readonly http: FastifyInstance
  readonly metrics: Metrics
  readonly keyRotation: KeyRotation
  /** null in a process that runs no background work */
  readonly jobs: Jobs | null
  /** Writes down which grants were used; in every process. */
  readonly useFlush: Loop
  readonly accessTokens: AccessTokens
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
  /** How long after a new data key the old ones are closed, for tests that don't wait for other processes. */
  readonly keyTakeUpMs?: number
  /** Wraps the database, for tests that end the process at any of its steps. */
  readonly wrapDatabase?: (database: Database) => Database
  /** Puts others in the place of the providers, for tests that stand in for one. */
  readonly wrapProviders?: (providers: Outbound['providers']) => Outbound['providers']
}

/** How often a process reads the data keys: a new one is taken up that soon. */
const KEYS_EVERY_MS = 3_000
/** How long after a new data key the old ones are closed: every process has read it by then. */
const TAKE_UP_MS = 10_000
/** The same where this is the only process: requests under way have written what they had sealed. */
const TAKE_UP_ALONE_MS = 1_000

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
  const mailer = operatorMailer(config)
  const opened = await openDatabase(config, { clock, ids, logger: log })
  const database = options.wrapDatabase?.(opened) ?? opened
  try {
    const applied = await database.migrate()
    if (applied.length > 0) log.info({ applied }, 'database.migrated')
    const keyDeps = { database, operatorKeys: operatorKeys(config, log), clock, ids, log }
    const ring = await openKeyRing(keyDeps).catch(asStartError)
    const vault = createVault(ring)
    const takeUpMs = options.keyTakeUpMs ?? (config.databaseUrl ? TAKE_UP_MS : TAKE_UP_ALONE_MS)
    const keyRotation = createKeyRotation({ ...keyDeps, vault, ring, takeUpMs })
    const metrics = createMetrics({ database, clock, log })
    const { telemetry } = metrics
    const outbound = createProviders(config, { clock, log, database, telemetry })
    const providers = options.wrapProviders?.(outbound.providers) ?? outbound.providers
    const publicUrl = () => config.publicUrl ?? boundUrl(http)
    const { services, accessTokens, scheduledSending, replyWatcher } = createServices({
      database,
      vault,
      clock,
      ids,
      log,
      telemetry,
      ...outbound,
      providers,
      egressIps: config.egressIps,
      rateLimitFactor: config.rateLimitFactor,
      publicUrl,
      trackingMode: config.tracking,
      trackingUrl: config.publicUrl,
    })
    await bootstrap(config, services, { log, ...(options.showKey ? { showKey: options.showKey } : {}) })
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
    const jobDeps = {
      database,
      vault,
      keyRotation,
      accessTokens,
      scheduledSending,
      replyWatcher,
      userHosts,
      mailer,
      telemetry,
      refreshRate: config.refreshRate,
      clock,
      ids,
      log,
    }
    const jobs = options.runsJobs ? startJobs(jobDeps) : null
    const useFlush = startUseFlush({ accessTokens, log })
    const keyLoop = startLoop({ name: 'data-keys', log, everyMs: KEYS_EVERY_MS, run: () => keepUp(ring) })
    return {
      database,
      services,
      keyRotation,
      http,
      metrics,
      jobs,
      useFlush,
      accessTokens,
      async close() {
        await http.close()
        await jobs?.stop()
        await useFlush.stop()
        await services.tracking.idle()
        await services.clean.close()
        await accessTokens.idle()
        await outbound.close()
        await keyLoop.stop()
        await ring.flush().catch((error: unknown) => log.warn({ err: error }, 'data_keys.count_lost'))
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function keepUp(ring: KeyRing): Promise<boolean> {
  await ring.keepUp()
  return false
}

function asStartError(error: unknown): never {
  throw error instanceof EncryptionKeyError ? new StartError(error.message, { cause: error }) : error
}
