// B5: POST /v3/connect/custom against a provider that answers at once, on both engines, beside a bare node:http
// server that answers the same requests in the same run.
import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectGrants } from './connect-grants.ts'
import type { Figure } from './figure.ts'
import { startInstantProvider } from './instant-provider.ts'
import { startBenchPostgres } from './postgres.ts'
import { API_KEY, SERVE, start, stop } from './server-child.ts'

const WARM_UP = 500
const GRANTS = 3000
const SYNCS = 200
/** Of a connect: before the exchange, after it, and with the grant. What shares its way to the disk costs less than each alone. */
const COMMITS = 3
const CONCURRENCY = 32

const BARE = `
const server = require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.end('{}'))
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'listening', url: 'http://127.0.0.1:' + server.address().port }))
})`

export async function measureConnect(): Promise<readonly Figure[]> {
  const bare = await start(['-e', BARE], {})
  await connectGrants(bare.url, API_KEY, WARM_UP, CONCURRENCY)
  const bareRate = GRANTS / ((await connectGrants(bare.url, API_KEY, GRANTS, CONCURRENCY)) / 1000)
  await stop(bare)
  const eachMs = syncMs()
  const figures: Figure[] = [
    { name: 'the same requests to a bare node:http server', value: Math.round(bareRate), unit: '/s' },
    { name: 'writing one block to the disk', value: round(eachMs), unit: 'ms' },
  ]
  const report = (engine: string, { rate, cpuMs }: Measured, atLeast: number) => {
    figures.push(
      { name: `connect/custom on ${engine}`, value: Math.round(rate), unit: '/s', atLeast },
      { name: `connect/custom on ${engine} ÷ bare node:http`, value: round(rate / bareRate), unit: '' },
      {
        name: `durable commits on ${engine} ÷ as many writes of one block, one after the other`,
        value: round((rate * COMMITS * eachMs) / 1000),
        unit: '',
      },
      { name: `processor time of one connect on ${engine}`, value: round(cpuMs), unit: 'ms' },
    )
  }
  report('SQLite', await measureOn({}), 600)
  const postgres = await startBenchPostgres()
  if (!postgres) {
    console.log('B5  no PostgreSQL is installed here: measured on SQLite only')
    return figures
  }
  try {
    const key = `k1:${randomBytes(32).toString('base64')}`
    const environment = { GRANTWAY_DATABASE_URL: postgres.url, GRANTWAY_ENCRYPTION_KEYS: key }
    report('PostgreSQL', await measureOn(environment), 800)
  } finally {
    postgres.stop()
  }
  return figures
}

interface Measured {
  /** grants a second */
  readonly rate: number
  /** of the server, each */
  readonly cpuMs: number
}

async function measureOn(environment: Record<string, string>): Promise<Measured> {
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const provider = await startInstantProvider()
  const server = await start(SERVE, {
    GRANTWAY_DATA_DIR: join(data, 'data'),
    ...provider.environment,
    ...environment,
  })
  try {
    await connectGrants(server.url, API_KEY, WARM_UP, CONCURRENCY)
    const before = processorMs(server.child.pid)
    const tookMs = await connectGrants(server.url, API_KEY, GRANTS, CONCURRENCY, WARM_UP)
    const cpuMs = (processorMs(server.child.pid) - before) / GRANTS
    return { rate: GRANTS / (tookMs / 1000), cpuMs }
  } finally {
    await stop(server)
    await provider.stop()
    rmSync(data, { recursive: true })
  }
}

/** What a process has used so far, from Linux's /proc (100 ticks a second). */
function processorMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function syncMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const file = openSync(join(folder, 'block'), 'w')
  const block = Buffer.alloc(4096)
  const began = performance.now()
  for (let i = 0; i < SYNCS; i += 1) {
    writeSync(file, block, 0, block.length, 0)
    fdatasyncSync(file)
  }
  const each = (performance.now() - began) / SYNCS
  closeSync(file)
  rmSync(folder, { recursive: true })
  return each
}

const round = (value: number): number => Math.round(value * 100) / 100
