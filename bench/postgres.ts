// A PostgreSQL cluster of its own on loopback, durable (fsync on), with the settings of a fresh initdb.
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INSTALLED = '/usr/lib/postgresql'
const OWNER = 'postgres'

export interface BenchPostgres {
  readonly url: string
  stop(): void
}

/** @returns null where no PostgreSQL is installed as Debian does it */
export async function startBenchPostgres(): Promise<BenchPostgres | null> {
  const versions = existsSync(INSTALLED)
    ? readdirSync(INSTALLED).toSorted((a, b) => Number(a) - Number(b))
    : []
  const version = versions.at(-1)
  if (!version) return null
  const folder = mkdtempSync(join(tmpdir(), 'grantway-bench-postgres-'))
  const data = join(folder, 'data')
  const isRoot = process.getuid?.() === 0
  // PostgreSQL refuses to run as root.
  const run = (program: string, ...args: readonly string[]) => {
    const path = join(INSTALLED, version, 'bin', program)
    const [file, all] = isRoot ? ['runuser', ['-u', OWNER, '--', path, ...args]] : [path, args]
    return execFileSync(file, all, { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'ignore', 'inherit'] })
  }
  if (isRoot) {
    const id = Number(execFileSync('id', ['-u', OWNER], { encoding: 'utf8' }))
    chownSync(folder, id, -1)
  }
  run('initdb', '-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8')
  const port = await freePort()
  const settings = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${folder}'`,
  ]
  writeFileSync(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\nfsync = on\n`)
  run('pg_ctl', '-D', data, '-l', join(folder, 'log'), '-w', 'start')
  return {
    url: `postgres://bench@127.0.0.1:${port}/postgres`,
    stop() {
      run('pg_ctl', '-D', data, '-m', 'fast', '-w', 'stop')
      rmSync(folder, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
