import type { Config } from '../config/schema.ts'
import type { Logger } from '../kit/logger.ts'
import { startAdminSocket } from './admin-socket/server.ts'
import { runAdminCommand } from './admin-commands.ts'
import { boundUrl } from './bound-url.ts'
import { type Application, compose, type ComposeOptions } from './compose.ts'
import { startMetricsListener } from './metrics/listener.ts'
import { StartError } from './start-error.ts'

export interface RunningServer {
  /** The bound address. */
  readonly url: string
  readonly application: Application
  /** Requests in flight finish, at most 10 s; then everything is closed. */
  stop(): Promise<void>
}

export type Role = 'all' | 'api' | 'worker'

const FINISH_MS = 10_000

/**
 * Starts the server; resolves when it answers. Every role listens, so that an orchestrator can watch its health; the
 * role decides who runs background jobs.
 *
 * @throws StartError
 */
export async function startServer(
  config: Config,
  role: Role,
  log: Logger,
  overrides: Partial<ComposeOptions> = {},
): Promise<RunningServer> {
  if (role !== 'all' && !config.databaseUrl) {
    throw new StartError(
      `--role ${role} needs PostgreSQL (GRANTWAY_DATABASE_URL): the embedded database allows only --role all.`,
    )
  }
  for (const warning of config.warnings) log.warn({ warning }, 'config.warning')
  const application = await compose({ config, log, runsJobs: role !== 'api', ...overrides })
  const closers: (() => Promise<void>)[] = []
  try {
    if (!config.databaseUrl) {
      const handle = (command: Parameters<typeof runAdminCommand>[1]) => runAdminCommand(application, command)
      const socket = await startAdminSocket({ dataDir: config.dataDir, handle })
      closers.push(() => socket.stop())
    }
    if (config.metrics.port !== undefined) {
      const { host, port } = { host: config.metrics.host, port: config.metrics.port }
      const listener = await startMetricsListener(application.metrics, { host, port })
      closers.push(() => listener.stop())
    }
    await application.http.listen({ host: config.host, port: config.port }).catch((cause: unknown) => {
      throw new StartError(
        `The address ${config.host}:${config.port} can't be listened on: ${String(cause)}`,
        {
          cause,
        },
      )
    })
  } catch (error) {
    for (const close of closers) await close()
    await application.close()
    throw error
  }
  const url = boundUrl(application.http)
  log.info({ url, role }, 'server.listening')
  return {
    url,
    application,
    async stop() {
      log.info({}, 'server.stopping')
      const cut = setTimeout(() => application.http.server.closeAllConnections(), FINISH_MS)
      for (const close of closers) await close()
      await application.close()
      clearTimeout(cut)
      log.info({}, 'server.stopped')
    },
  }
}
