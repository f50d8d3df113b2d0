import { openApiDocument } from '../http/openapi.ts'
import { systemClock } from '../kit/clock.ts'
import { randomIds } from '../kit/ids.ts'
import { runAdminCommandAnywhere } from './admin-commands.ts'
import type { AppCommands } from './commands.ts'
import { runDemo } from './demo/demo.ts'
import { examine } from './doctor.ts'
import { importGrants } from './import/import-grants.ts'
import { createLogger } from './logger.ts'
import { openDatabase } from './open-database.ts'
import { rotateKeys } from './rotate-keys.ts'
import { runSandbox } from './run-sandbox.ts'
import { startServer } from './serve.ts'
import { packageVersion } from './version.ts'

/** The application as the command line sees it. */
export const app: AppCommands = {
  serve(config, { role }) {
    const showKey = (key: string, path: string) => {
      if (process.stderr.isTTY) process.stderr.write(`API key (also in ${path}): ${key}\n`)
    }
    return startServer(config, role, createLogger(config.logLevel), { showKey })
  },
  demo: runDemo,
  sandbox: runSandbox,
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
  rotateKeys: (config, options) => rotateKeys(config, createLogger(config.logLevel), options),
  doctor: examine,
  importGrants: (config, request) => importGrants(config, createLogger(config.logLevel), request),
  openapi: () => Promise.resolve(openApiDocument({ version: packageVersion() })),
}
