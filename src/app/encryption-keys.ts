import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { OperatorKey } from '../core/vault/data-keys.ts'
import type { Logger } from '../kit/logger.ts'
import { StartError } from './start-error.ts'

export const KEY_FILE = 'encryption-keys'

/**
 * Finds the operator's encryption keys: configured ones, else those of the data folder, made at the first start
 * of an embedded database.
 *
 * @throws StartError with PostgreSQL and no configured key, or for a damaged key file
 */
export function operatorKeys(config: Config, log: Logger): readonly OperatorKey[] {
  if (config.encryptionKeys) {
    return config.encryptionKeys.map(({ kid, key }) => ({ id: kid, key: Buffer.from(key.open(), 'base64') }))
  }
  if (config.databaseUrl) {
    throw new StartError(
      'GRANTWAY_ENCRYPTION_KEYS is required with PostgreSQL. Make one with `openssl rand -base64 32` and set ' +
        'GRANTWAY_ENCRYPTION_KEYS=key1:<it>; keep a copy apart from the database.',
    )
  }
  const path = join(config.dataDir, KEY_FILE)
  if (!existsSync(path)) {
    // Exclusive: a key file that another process has just made is never overwritten.
    writeFileSync(path, `local:${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
    log.warn(
      { path, advice: 'Keep a copy elsewhere: without it no stored token can be opened again.' },
      'encryption_key.generated',
    )
  }
  return readFileSync(path, 'utf8')
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((entry) => {
      const [, id, encoded] = /^([A-Za-z0-9._-]+):([A-Za-z0-9+/]{43}=?)$/.exec(entry) ?? []
      if (!id || !encoded)
        throw new StartError(`The key file ${path} holds something else than kid:base64 keys.`)
      return { id, key: Buffer.from(encoded, 'base64') }
    })
}
