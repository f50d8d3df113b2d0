import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { readCondition } from '../core/grants/condition.ts'
import type { Database } from '../core/ports/stores.ts'
import { silentTelemetry } from '../core/ports/telemetry.ts'
import { EncryptionKeyError, loadDataKeys } from '../core/vault/data-keys.ts'
import { systemClock } from '../kit/clock.ts'
import { randomIds } from '../kit/ids.ts'
import { silentLogger } from '../kit/logger.ts'
import { AdminCommandFailed, callAdminSocket, NoRunningServer } from './admin-socket/client.ts'
import { examineEndpoints } from './doctor/endpoints.ts'
import type { Finding } from './doctor/finding.ts'
import { grantFindings, readFindings } from './doctor/grant-findings.ts'
import { KEY_FILE, operatorKeys } from './encryption-keys.ts'
import { DataFolderInUseError, openDatabase } from './open-database.ts'
import { createProviders } from './providers.ts'
import { StartError } from './start-error.ts'

/**
 * Checks configuration, database, encryption key and provider endpoints, and says what to fix. Changes nothing:
 * a data folder that does not exist yet is not made.
 */
export async function examine(config: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = config.warnings.map((warning) => ({
    check: 'configuration',
    ok: true,
    detail: `warning: ${warning}`,
  }))
  findings.push(...(await examineDatabase(config)))
  findings.push(...(await examineEndpoints(config)))
  return findings
}

async function examineDatabase(config: Config): Promise<readonly Finding[]> {
  const embedded = config.databaseUrl === undefined
  if (embedded && !existsSync(join(config.dataDir, 'grantway.db'))) {
    const detail = `${config.dataDir} holds no database yet; the first start makes it`
    return [{ check: 'database', ok: true, detail }]
  }
  try {
    const database = await openDatabase(config, { clock: systemClock, ids: randomIds, logger: silentLogger })
    try {
      const missing = await database.pendingMigrations()
      const state =
        missing.length === 0 ? 'migrated' : `${missing.length} migrations to apply at the next start`
      const found: Finding = { check: 'database', ok: true, detail: `reachable, ${state}` }
      if (missing.length > 0) return [found]
      return [found, await examineKey(config, database), ...(await examineGrants(config, database))]
    } finally {
      await database.close()
    }
  } catch (error) {
    if (error instanceof DataFolderInUseError) {
      const detail = 'in use by a running server, which has opened it with its encryption key'
      return [{ check: 'database', ok: true, detail }, ...(await askRunningServer(config))]
    }
    const advice = embedded
      ? 'Check that the data folder is on a local disk and belongs to this user.'
      : 'Check GRANTWAY_DATABASE_URL, and that the server accepts connections from here.'
    return [{ check: 'database', ok: false, detail: messageOf(error), advice }]
  }
}

async function examineGrants(config: Config, database: Database): Promise<readonly Finding[]> {
  const telemetry = silentTelemetry
  const outbound = createProviders(config, { clock: systemClock, log: silentLogger, database, telemetry })
  try {
    return grantFindings(await readCondition({ database, providers: outbound.providers }))
  } finally {
    await outbound.close()
  }
}

async function askRunningServer(config: Config): Promise<readonly Finding[]> {
  try {
    return readFindings(await callAdminSocket(config.dataDir, { name: 'doctor.grants' }))
  } catch (error) {
    const isExpected = error instanceof AdminCommandFailed || error instanceof NoRunningServer
    if (!isExpected) throw error
    const advice = 'Run doctor of the same version as the server, on the same machine.'
    return [{ check: 'grants', ok: false, detail: `the running server: ${error.message}`, advice }]
  }
}

async function examineKey(config: Config, database: Database): Promise<Finding> {
  const check = 'encryption key'
  try {
    if (!config.encryptionKeys && !existsSync(join(config.dataDir, KEY_FILE))) {
      throw new StartError(`the key file ${join(config.dataDir, KEY_FILE)} is missing`)
    }
    if ((await database.stores.dataKeys.list()).length === 0) {
      return { check, ok: true, detail: 'nothing is sealed yet' }
    }
    const keys = operatorKeys(config, silentLogger)
    await loadDataKeys({ database, operatorKeys: keys, clock: systemClock, ids: randomIds })
    return { check, ok: true, detail: `opens the database (${keys.map((key) => key.id).join(', ')})` }
  } catch (error) {
    if (!(error instanceof EncryptionKeyError) && !(error instanceof StartError)) throw error
    const advice =
      'Bring back the key this database was sealed under: from your copy of it, or from the old environment.'
    return { check, ok: false, detail: error.message, advice }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
