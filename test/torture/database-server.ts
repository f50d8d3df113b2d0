import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, '..', 'support', 'testworld', 'start-postgres.sh')

/** A PostgreSQL of one's own, to restart as one likes. Needs root on Debian. */
export interface DatabaseServer {
  readonly url: string
  /** `immediate` is the server's own kill -9: it recovers from its log at the next start. */
  restart(mode: 'fast' | 'immediate', downMs: () => Promise<void>): Promise<void>
  /** Ends it and deletes everything. */
  destroy(): Promise<void>
}

export async function startDatabaseServer(): Promise<DatabaseServer> {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-torture-'))
  await chmod(folder, 0o755) // its owner is another user than the one PostgreSQL runs as
  const port = await freePort()
  const script = (verb: string) =>
    run(SCRIPT, [verb], { env: { ...process.env, TESTWORLD_DIR: folder, PG_PORT: port } })
  const stop = async (mode: 'fast' | 'immediate') => {
    const versions = await readdir('/usr/lib/postgresql')
    const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1) ?? ''
    const control = `/usr/lib/postgresql/${newest}/bin/pg_ctl`
    const data = join(folder, 'postgres', 'data')
    await run('runuser', ['-u', 'postgres', '--', control, '-D', data, '-m', mode, '-w', 'stop'], {
      cwd: '/',
    })
  }
  await script('start')
  return {
    url: `postgres://testworld:testworld@127.0.0.1:${port}/testworld`,
    async restart(mode, down) {
      await stop(mode)
      await down()
      await script('start')
    },
    async destroy() {
      await script('stop')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(String(typeof address === 'object' && address ? address.port : 0)))
    })
  })
}
