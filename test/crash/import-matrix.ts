import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { operatorKeys } from '../../src/app/encryption-keys.ts'
import { compose } from '../../src/app/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createGrantVault } from '../../src/core/grants/grant-vault.ts'
import type { ApplicationId } from '../../src/contract/ids.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import type { Vault } from '../../src/core/ports/vault.ts'
import { loadDataKeys } from '../../src/core/vault/data-keys.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'

const ROWS = 220
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Rows of every kind: tokens, mailboxes, placeholders. */
const rows = Array.from({ length: ROWS }, (_, at) => {
  const email = `user-${at}@example.com`
  if (at % 10 === 3) return { provider: 'google', email }
  if (at % 10 === 7) {
    return { provider: 'imap', email, settings: { imap_password: `pw-${at}`, imap_host: 'imap.example.com' } }
  }
  return { provider: 'google', email, refresh_token: `crash-token-${at}`, account_id: `account-${at}` }
})

/**
 * Kills an import of one file again and again, each time at another step of what is left of it, lets the last one live,
 * and looks at every grant.
 *
 * @param database  which one, as environment variables
 */
export async function killImport(
  database: { readonly [name: string]: string },
  when: 'before' | 'after',
  killAt: readonly number[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-import-'))
  const file = join(folder, 'grants.ndjson')
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const environment = {
    ...database,
    GRANTWAY_API_KEY: 'crash-test-api-key-of-more-than-32-characters',
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    IMPORT_FILE: file,
    KILL_WHEN: when,
    NODE_COMPILE_CACHE: join(tmpdir(), 'grantway-crash-compile-cache'),
  }
  try {
    await withDatabase(environment, async ({ services }, applicationId) => {
      const caller = { applicationId, actor: 'test' }
      const settings = { client_id: 'client', client_secret: 'secret' }
      await services.connectors.create(caller, { provider: 'google', settings })
      await services.connectors.create(caller, { provider: 'imap' })
    })
    for (const at of killAt) {
      assert.equal((await runImport({ ...environment, KILL_AT: String(at) })).signal, 'SIGKILL', `step ${at}`)
    }
    const last = await runImport(environment)
    assert.equal(last.code, 0, last.said)
    const counts = JSON.parse(last.out) as { rows: number; created: number; skipped: number; failed: number }
    assert.equal(counts.rows, ROWS)
    assert.equal(counts.failed, 0, last.said)
    assert.ok(counts.skipped > 0, 'an earlier run wrote nothing that counts')
    assert.equal(counts.created + counts.skipped, ROWS)
    await withDatabase(environment, async (application, applicationId) => {
      const vault = await openVault(application.database, environment)
      await checkGrants(application.database, vault, applicationId)
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkGrants(database: Database, vault: Vault, applicationId: ApplicationId): Promise<void> {
  const { grants, secrets, imports, outbox } = database.stores
  const grantVault = createGrantVault(vault)
  const page = { limit: 1000, offset: 0, by: 'created_at', order: 'asc' } as const
  const all = await grants.list(applicationId, {}, page)
  assert.equal(all.length, ROWS)
  assert.equal(new Set(all.map(({ emailKey }) => emailKey)).size, ROWS)
  const byEmail = new Map(all.map((grant) => [grant.email, grant]))
  for (const row of rows) {
    const grant = byEmail.get(row.email)
    assert.ok(grant, row.email)
    const record = await secrets.find(grant.id)
    if (!row.refresh_token && !row.settings) {
      assert.equal(record, null)
      assert.equal(grant.status, 'invalid')
      continue
    }
    assert.ok(record, `${row.email} has no secret`)
    const secret = await grantVault.secret(record)
    if (secret.kind === 'mailbox') {
      assert.equal(secret.imap.password.open(), row.settings?.imap_password)
      continue
    }
    assert.ok(secret.kind === 'refresh-token')
    assert.equal(secret.refreshToken.open(), row.refresh_token)
    const seen = await imports.findSeenTokens(applicationId, [
      vault.digest('refresh-token', secret.refreshToken.open()),
    ])
    assert.deepEqual(
      seen.map(({ state }) => state.kind === 'granted' && state.grantId),
      [grant.id],
    )
  }
  const events = (await outbox.list(applicationId, 10_000)).filter(
    ({ trigger }) => trigger === 'grant.created',
  )
  assert.equal(events.length, ROWS, 'one event for each grant')
}

async function withDatabase(
  environment: { readonly [name: string]: string },
  use: (application: Awaited<ReturnType<typeof compose>>, applicationId: ApplicationId) => Promise<void>,
): Promise<void> {
  const application = await compose({ config: configOf(environment), log: silentLogger, runsJobs: false })
  try {
    const [only] = await application.services.applications.list()
    assert.ok(only)
    await use(application, only.id)
  } finally {
    await application.close()
  }
}

async function openVault(
  database: Database,
  environment: { readonly [name: string]: string },
): Promise<Vault> {
  const keys = operatorKeys(configOf(environment), silentLogger)
  return createVault(await loadDataKeys({ database, operatorKeys: keys, clock: systemClock, ids: randomIds }))
}

function configOf(environment: { readonly [name: string]: string }) {
  return loadConfig(
    Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('GRANTWAY_'))),
  )
}

async function runImport(environment: { readonly [name: string]: string }) {
  const child = spawn(process.execPath, ['test/crash/killable-import.ts'], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, out, said }
}
