import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Services } from '../core/ports/services.ts'
import type { Logger } from '../kit/logger.ts'

export const INITIAL_KEY_FILE = 'initial-api-key'

/**
 * Makes the first application and its key when the database has no application: the configured ones, else
 * generated ones with the embedded database. A generated key goes to a file (mode 0600) and, where a person is
 * looking, to the terminal; never to the log.
 */
export async function bootstrap(
  config: Config,
  services: Pick<Services, 'applications' | 'apiKeys'>,
  deps: { readonly log: Logger; readonly showKey?: (key: string, path: string) => void },
): Promise<void> {
  if ((await services.applications.list()).length > 0) return
  const isEmbedded = config.databaseUrl === undefined
  if (!isEmbedded && !config.applicationId && !config.apiKey) {
    deps.log.warn(
      { advice: 'Set GRANTWAY_API_KEY, or run `grantway apps create` and `grantway keys create`.' },
      'application.none',
    )
    return
  }
  const application = await services.applications.create({
    name: 'Grantway',
    ...(config.applicationId === undefined ? {} : { id: config.applicationId }),
  })
  deps.log.info({ applicationId: application.id }, 'application.created')
  if (config.apiKey) {
    await services.apiKeys.create(application.id, { name: 'configured', value: config.apiKey.open() })
    return
  }
  if (!isEmbedded) return
  const value = randomBytes(32).toString('base64url')
  const path = join(config.dataDir, INITIAL_KEY_FILE)
  writeFileSync(path, `${value}\n`, { mode: 0o600 })
  await services.apiKeys.create(application.id, { name: 'initial', value })
  deps.log.info({ path, applicationId: application.id }, 'api_key.generated')
  deps.showKey?.(value, path)
}
