import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SCRIPT = join(import.meta.dirname, 'testworld', 'start-dovecot.sh')
/** Shared with oauth-server.ts: Dovecot asks that server about bearer tokens, on this port. */
export const MAIL_WORLD = join(tmpdir(), 'grantway-test-mail')
export const OAUTH_PORT = process.env['TEST_OAUTH_PORT'] ?? '21780'
const PORT_BASE = process.env['TEST_DOVECOT_PORT_BASE'] ?? '21300'

export interface TestDovecot {
  readonly host: string
  /** IMAP without TLS and with STARTTLS */
  readonly imapPort: number
  readonly imapsPort: number
  /** SMTP that offers no STARTTLS */
  readonly smtpPlainPort: number
  readonly smtpStarttlsPort: number
  readonly smtpTlsPort: number
  /** PEM text of the private CA */
  readonly ca: string
  readonly caFile: string
  /** for doveadm */
  readonly configFile: string
  /** Puts generated mail into a mailbox that has none yet; whoever asks second finds it there. */
  fill(user: string, count: number): Promise<void>
  /** Ends this process's use; the last process that uses the servers ends them. */
  stop(): Promise<void>
}

/**
 * Starts Dovecot and Postfix on loopback, or joins those that another test process has started. Needs root on
 * Debian: installs them where they are missing. The mailboxes are this process's alone until it stops: what tests of
 * another file send or delete would be seen by these.
 *
 * @param options.ownsMailboxes  false for whoever only keeps the servers running
 */
export async function startDovecot({ ownsMailboxes = true } = {}): Promise<TestDovecot> {
  const users = join(MAIL_WORLD, 'dovecot-users')
  await mkdir(users, { recursive: true })
  const user = join(users, `${process.pid}-${randomUUID()}`)
  await underLock('dovecot.lock', 'touch "$1" && "$2" start', [user, SCRIPT])
  const giveBack = ownsMailboxes ? await takeMailboxes() : () => undefined
  const env = readEnv(await readFile(join(MAIL_WORLD, 'dovecot', 'env'), 'utf8'))
  const caFile = value(env, 'TW_CA_FILE')
  return {
    host: value(env, 'TW_IMAP_HOST'),
    imapPort: Number(value(env, 'TW_IMAP_PORT')),
    imapsPort: Number(value(env, 'TW_IMAPS_PORT')),
    smtpPlainPort: Number(value(env, 'TW_SMTP_PORT')),
    smtpStarttlsPort: Number(value(env, 'TW_SMTP_STARTTLS_PORT')),
    smtpTlsPort: Number(value(env, 'TW_SMTP_TLS_PORT')),
    ca: await readFile(caFile, 'utf8'),
    caFile,
    configFile: value(env, 'TW_DOVECOT_CONF'),
    async fill(address, count) {
      const done = join(MAIL_WORLD, 'dovecot', `filled-${address}-${count}`)
      await underLock('fill.lock', 'test -e "$1" || { "$2" fill "$3" "$4" && touch "$1"; }', [
        done,
        SCRIPT,
        address,
        String(count),
      ])
    },
    async stop() {
      giveBack()
      await underLock('dovecot.lock', STOP_IF_LAST, [user, SCRIPT])
    },
  }
}

let owners = 0
let owned: Promise<() => void> | undefined

/** Waits until no other process has the mailboxes. Within a process they are shared; one that dies gives them back. */
async function takeMailboxes(): Promise<() => void> {
  owners += 1
  owned ??= holdLock('mailboxes.lock')
  const release = await owned
  return () => {
    owners -= 1
    if (owners > 0) return
    owned = undefined
    release()
  }
}

/** Holds a lock for as long as a child reads what this process never writes. */
async function holdLock(lock: string): Promise<() => void> {
  const child = spawn('flock', ['-o', join(MAIL_WORLD, lock), 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  child.unref()
  return () => child.stdin.end()
}

/** A file per user is named after its process; one whose process is gone counts no more. */
export const STOP_IF_LAST = `
  rm -f "$1"
  for other in "$(dirname "$1")"/*; do
    [ -e "$other" ] || continue
    pid=$(basename "$other"); pid=\${pid%%-*}
    if kill -0 "$pid" 2>/dev/null; then exit 0; fi
    rm -f "$other"
  done
  "$2" stop`

/** Runs a shell command while no other test process runs one under the same lock. */
export async function underLock(
  lock: string,
  command: string,
  parameters: readonly string[],
): Promise<string> {
  // -o: the server that is started must not inherit the lock.
  const { stdout } = await run(
    'flock',
    ['-o', join(MAIL_WORLD, lock), 'bash', '-c', command, 'bash', ...parameters],
    {
      env: {
        ...process.env,
        TESTWORLD_DIR: MAIL_WORLD,
        DOVECOT_PORT_BASE: PORT_BASE,
        OAUTH_PORT,
        NODE: process.execPath,
      },
    },
  )
  return stdout
}

/** Reads KEY=VALUE lines. */
export function readEnv(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()] as const] : []
    }),
  )
}

/** The value of a key that the script always prints. */
export function value(env: ReadonlyMap<string, string>, key: string): string {
  const found = env.get(key)
  if (found === undefined) throw new Error(`the start script printed no ${key}`)
  return found
}
