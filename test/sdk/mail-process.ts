import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestDovecot } from '../support/dovecot.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'

/** A data folder and all that a server over it needs, so that the server can be killed and started again. */
export interface MailProcess {
  readonly key: string
  readonly dataDir: string
  /** `grantway serve` as users run it, in a process that trusts the test world's CA. */
  start(): Promise<ServerProcess>
  /** Removes the data folder. */
  remove(): Promise<void>
}

/** Prepares servers that may reach the test Dovecot; iCloud is that Dovecot too. */
export async function mailProcess(
  world: TestDovecot,
  environment: { readonly [name: string]: string } = {},
): Promise<MailProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'grantway-mail-'))
  const key = `test-key-${randomBytes(24).toString('hex')}`
  const all = {
    GRANTWAY_PORT: '0',
    GRANTWAY_DATA_DIR: dataDir,
    GRANTWAY_API_KEY: key,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_LOG_LEVEL: 'trace',
    GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
    GRANTWAY_ICLOUD_IMAP: `localhost:${world.imapPort}`,
    GRANTWAY_ICLOUD_SMTP: `localhost:${world.smtpStarttlsPort}`,
    NODE_EXTRA_CA_CERTS: world.caFile,
    ...environment,
  }
  return {
    key,
    dataDir,
    start: () => startServerProcess(['src/cli/main.ts', 'serve'], all),
    remove: () => rm(dataDir, { recursive: true, force: true }),
  }
}
