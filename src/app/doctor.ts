import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { EncryptionKeyError, loadDataKeys } from '../core/vault/data-keys.ts'
import { systemClock } from '../kit/clock.ts'
import { randomIds } from '../kit/ids.ts'
import { silentLogger } from '../kit/logger.ts'
import { createHttpClient, type HttpClient } from '../kit/outbound/http-client.ts'
import { KEY_FILE, operatorKeys } from './encryption-keys.ts'
import { DataFolderInUseError, openDatabase } from './open-database.ts'
import { StartError } from './start-error.ts'

export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly advice?: string
}

const REACH_TIMEOUT_MS = 5_000

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
  const http = createHttpClient()
  try {
    findings.push(...(await Promise.all(urlsOf(config).map((url) => examineUrl(http, url)))))
    findings.push(...(await Promise.all(mailServersOf(config).map(examineMailServer))))
  } finally {
    await http.close()
  }
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
      return missing.length === 0 ? [found, await examineKey(config, database)] : [found]
    } finally {
      await database.close()
    }
  } catch (error) {
    if (error instanceof DataFolderInUseError) {
      const detail = 'in use by a running server, which has opened it with its encryption key'
      return [{ check: 'database', ok: true, detail }]
    }
    const advice = embedded
      ? 'Check that the data folder is on a local disk and belongs to this user.'
      : 'Check GRANTWAY_DATABASE_URL, and that the server accepts connections from here.'
    return [{ check: 'database', ok: false, detail: messageOf(error), advice }]
  }
}

async function examineKey(
  config: Config,
  database: Parameters<typeof loadDataKeys>[0]['database'],
): Promise<Finding> {
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

interface NamedUrl {
  readonly name: string
  readonly url: string
}

function urlsOf(config: Config): readonly NamedUrl[] {
  const { google, microsoft, yahoo, zoom, icloud } = config
  return [
    { name: 'google token endpoint', url: google.tokenUrl },
    { name: 'google userinfo', url: google.userinfoUrl },
    { name: 'google gmail', url: google.gmailUrl },
    { name: 'microsoft token endpoint', url: microsoft.tokenUrl.replaceAll('{tenant}', 'common') },
    { name: 'microsoft graph', url: microsoft.graphUrl },
    { name: 'yahoo token endpoint', url: yahoo.tokenUrl },
    { name: 'zoom token endpoint', url: zoom.tokenUrl },
    { name: 'icloud caldav', url: icloud.caldavUrl },
  ]
}

async function examineUrl(http: HttpClient, { name, url }: NamedUrl): Promise<Finding> {
  try {
    await http.request({ method: 'GET', url, timeoutMs: REACH_TIMEOUT_MS })
    return { check: name, ok: true, detail: `${new URL(url).origin} answers` }
  } catch (error) {
    const advice = 'Check DNS, the firewall and the proxy between this machine and the provider.'
    return { check: name, ok: false, detail: messageOf(error), advice }
  }
}

interface MailServer {
  readonly name: string
  readonly host: string
  readonly port: number
}

function mailServersOf(config: Config): readonly MailServer[] {
  return [
    { name: 'yahoo imap', ...config.yahoo.imap },
    { name: 'icloud imap', ...config.icloud.imap },
  ]
}

function examineMailServer({ name, host, port }: MailServer): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: REACH_TIMEOUT_MS })
    const done = (ok: boolean, detail: string) => {
      socket.destroy()
      const advice = 'Check DNS and the firewall: mail providers need outgoing connections to this port.'
      resolve(ok ? { check: name, ok, detail } : { check: name, ok, detail, advice })
    }
    socket.once('connect', () => done(true, `${host}:${port} answers`))
    socket.once('timeout', () => done(false, `${host}:${port} does not answer`))
    socket.once('error', (error) => done(false, `${host}:${port}: ${error.message}`))
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
