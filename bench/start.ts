// B9: from start to ready, and the memory of an idle server, beside a bare node:http server in the same run.
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectGrants } from './connect-grants.ts'
import type { Figure } from './figure.ts'
import { API_KEY, start, type Started, stop } from './server-child.ts'
import { startInstantProvider } from './instant-provider.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const BUILT = `${root}dist/cli/main.js`
const ROUNDS = 5
const IDLE_MS = 3000
const GRANTS = 1000

const HELLO = `
const server = require('node:http').createServer((request, response) => response.end('hello'))
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'listening', url: 'http://127.0.0.1:' + server.address().port }))
})`

/** Measures the built server, so `npm run build` comes first. */
export async function measureStart(): Promise<readonly Figure[]> {
  if (!existsSync(BUILT)) throw new Error('B9 measures the built server: run "npm run build" first')
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const serve = (environment: Record<string, string> = {}) =>
    start([BUILT, 'serve'], {
      GRANTWAY_DATA_DIR: join(data, 'data'),
      GRANTWAY_PORT: '0',
      GRANTWAY_LOG_LEVEL: 'silent',
      GRANTWAY_API_KEY: API_KEY,
      ...environment,
    })
  try {
    await stop(await serve()) // makes the database, so that the measured starts are warm
    const ours: number[] = []
    const bare: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const server = await serve()
      ours.push(server.readyMs)
      await stop(server)
      const hello = await start(['-e', HELLO], {})
      bare.push(hello.readyMs)
      await stop(hello)
    }
    const hello = await start(['-e', HELLO], {})
    const idle = await serve()
    await later(IDLE_MS)
    const bareMb = memoryMb(hello.child)
    const idleMb = memoryMb(idle.child)
    await stop(hello)
    await stop(idle)
    const grantsMb = await withGrants(serve)
    return [
      { name: 'start to ready, median', value: Math.round(median(ours)), unit: 'ms', bar: 800 },
      { name: 'start to ready ÷ bare node:http', value: ratio(median(ours), median(bare)), unit: '' },
      { name: 'idle memory', value: idleMb, unit: 'MB', bar: 120 },
      { name: 'idle memory ÷ bare node:http', value: ratio(idleMb, bareMb), unit: '' },
      { name: `idle memory after ${GRANTS} grants`, value: grantsMb, unit: 'MB', bar: 140 },
    ]
  } finally {
    rmSync(data, { recursive: true })
  }
}

/** Memory of a fresh process whose database has the grants, idle: what they cost at rest. */
async function withGrants(
  serve: (environment?: Record<string, string>) => Promise<Started>,
): Promise<number> {
  const provider = await startInstantProvider()
  const first = await serve(provider.environment)
  await connectGrants(first.url, API_KEY, GRANTS)
  await stop(first)
  const second = await serve(provider.environment)
  await later(IDLE_MS)
  const megabytes = memoryMb(second.child)
  await stop(second)
  await provider.stop()
  return megabytes
}

/** Resident memory of a process, from Linux's /proc. */
function memoryMb(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const ratio = (value: number, reference: number): number => Math.round((value / reference) * 100) / 100
