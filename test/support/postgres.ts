import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

const SCRIPT = join(import.meta.dirname, 'testworld', 'start-postgres.sh')
const FOLDER = join(tmpdir(), 'grantway-test-postgres')
const PORT = process.env['TEST_POSTGRES_PORT'] ?? '21442'

export interface TestPostgres {
  /** Of a database that is there from the start. */
  readonly url: string
  /** Makes an empty database. @returns its URL */
  createDatabase(): Promise<string>
  /** Drops the databases that were made here; the last process that uses the server ends it. */
  stop(): Promise<void>
}

/**
 * Starts a private PostgreSQL on loopback, or joins the one that another test process has started. Needs root
 * on Debian: installs PostgreSQL where it is missing.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const user = join(FOLDER, 'users', `${process.pid}-${randomUUID()}`)
  await mkdir(join(FOLDER, 'users'), { recursive: true })
  await underLock('touch "$1" && "$2" start', user)
  const url = `postgres://testworld:testworld@127.0.0.1:${PORT}/testworld`
  const made: string[] = []
  return {
    url,
    async createDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`
      await query(url, `create database ${name}`)
      made.push(name)
      return url.replace(/testworld$/, name)
    },
    async stop() {
      for (const name of made.splice(0)) await query(url, `drop database if exists ${name} with (force)`)
      await underLock(STOP_IF_LAST, user)
    },
  }
}

/** A file per user is named after its process; one whose process is gone counts no more. */
const STOP_IF_LAST = `
  rm -f "$1"
  for other in "$(dirname "$1")"/*; do
    [ -e "$other" ] || continue
    pid=$(basename "$other"); pid=\${pid%%-*}
    if kill -0 "$pid" 2>/dev/null; then exit 0; fi
    rm -f "$other"
  done
  "$2" stop`

/** Runs a shell command while no other test process starts or stops the server. */
async function underLock(command: string, user: string): Promise<void> {
  // -o: the server that is started must not inherit the lock.
  await run('flock', ['-o', join(FOLDER, 'lock'), 'bash', '-c', command, 'bash', user, SCRIPT], {
    env: { ...process.env, TESTWORLD_DIR: FOLDER, PG_PORT: PORT },
  })
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
