import { openApiDocument } from '../http/openapi.ts'
import { systemClock } from '../kit/clock.ts'
import { randomIds } from '../kit/ids.ts'
import { runAdminCommandAnywhere } from './admin-commands.ts'
import type { AppCommands } from './commands.ts'
import { createLogger } from './logger.ts'
import { openDatabase } from './open-database.ts'
import { startServer } from './serve.ts'
import { packageVersion } from './version.ts'

/** The application as the command line sees it. What a server doesn't need is loaded by the command that does. */
export const app: AppCommands = {
  serve(config, { role }) {
    const showKey = (key: string, path: string) => {
      if (process.stderr.isTTY) process.stderr.write(`API key (also in ${path}): ${key}\n`)
    }
    return startServer(config, role, createLogger(config.logLevel), { showKey })
  },
  async demo(config, options) {
    const { runDemo } = await import('./demo/demo.ts')
    return runDemo(config, options)
  },
  async sandbox(options) {
    const { runSandbox } = await import('./run-sandbox.ts')
    return runSandbox(options)
  },
  async migrate(config) {
    const logger = createLogger(config.logLevel)
    const database = await openDatabase(config, { clock: systemClock, ids: randomIds, logger })
    try {
      return await database.migrate()
    } finally {
      await database.close()
    }
  },
  admin: (config, command) => runAdminCommandAnywhere(config, command, createLogger(config.logLevel)),
  async rotateKeys(config, options) {
    const { rotateKeys } = await import('./rotate-keys.ts')
    return rotateKeys(config, createLogger(config.logLevel), options)
  },
  async doctor(config) {
    const { examine } = await import('./doctor.ts')
    return examine(config)
  },
  async importGrants(config, request) {
    const { importGrants } = await import('./import/import-grants.ts')
    return importGrants(config, createLogger(config.logLevel), request)
  },
  openapi: () => Promise.resolve(openApiDocument({ version: packageVersion() })),
}
