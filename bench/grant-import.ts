// B8: rows a second of `grantway import` without verification, on both engines, and the memory it takes; B6: pages of
// GET /v3/grants over what was imported, beside those of a small installation. `--rows 1000000` for the whole size.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figure } from './figure.ts'
import { startBenchPostgres } from './postgres.ts'
import { API_KEY, SERVE, start, stop } from './server-child.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const CLI = 'src/cli/main.ts'
const SMALL = 1000
const DEFAULT_ROWS = 100_000
const ASKS = 40

/** Prints, at the end of the process, its highest resident memory in KiB (Linux's own count) and its processor time in µs. */
const USAGE = `process.on('exit', () => {
  const status = require('node:fs').readFileSync('/proc/self/status', 'utf8')
  const { user, system } = process.cpuUsage()
  process.stderr.write('USAGE ' + /VmHWM:\\s+(\\d+)/.exec(status)[1] + ' ' + (user + system) + '\\n')
})`

export async function measureImport(): Promise<readonly Figure[]> {
  const at = process.argv.indexOf('--rows')
  const rows = at === -1 ? DEFAULT_ROWS : Number(process.argv[at + 1])
  if (!Number.isSafeInteger(rows) || rows < SMALL) throw new Error(`--rows must be a number from ${SMALL}`)
  const folder = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  try {
    const small = await importInto(folder, 'small', SMALL, {})
    const sizes = [...new Set([10_000, 100_000, rows])]
      .filter((size) => size <= rows)
      .toSorted((a, b) => a - b)
    const figures: Figure[] = []
    let large = small
    for (const size of sizes) {
      large = await importInto(folder, `sqlite-${size}`, size, {})
      figures.push(...figuresOf(large, 'SQLite', size, size === rows ? 8000 : undefined))
    }
    figures.push(...(await pages(small.environment, large.environment, rows)))
    return [...figures, ...(await onPostgres(folder, rows))]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function onPostgres(folder: string, rows: number): Promise<readonly Figure[]> {
  const postgres = await startBenchPostgres()
  if (!postgres) {
    console.log('B8  no PostgreSQL is installed here: measured on SQLite only')
    return []
  }
  try {
    const imported = await importInto(folder, 'postgres', rows, {
      GRANTWAY_DATABASE_URL: postgres.url,
      GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    })
    return figuresOf(imported, 'PostgreSQL', rows, 15_000)
  } finally {
    postgres.stop()
  }
}

interface Imported {
  readonly environment: Environment
  /** rows a second, the start of the process counted */
  readonly rate: number
  /** of the importing process, each row */
  readonly cpuUs: number
  readonly peakMb: number
}

function figuresOf(
  { rate, cpuUs, peakMb }: Imported,
  engine: string,
  rows: number,
  atLeast: number | undefined,
): readonly Figure[] {
  const of = `of ${rows} rows on ${engine}`
  return [
    { name: `import ${of}`, value: rate, unit: '/s', ...(atLeast === undefined ? {} : { atLeast }) },
    { name: `processor time of a row, ${of}`, value: cpuUs, unit: 'µs' },
    { name: `peak memory ${of}`, value: peakMb, unit: 'MB' },
  ]
}

async function importInto(
  folder: string,
  name: string,
  rows: number,
  database: Environment,
): Promise<Imported> {
  const environment = {
    GRANTWAY_DATA_DIR: join(folder, name),
    GRANTWAY_PORT: '0',
    GRANTWAY_LOG_LEVEL: 'silent',
    GRANTWAY_API_KEY: API_KEY,
    ...database,
  }
  const server = await start(SERVE, environment)
  const made = await fetch(`${server.url}/v3/connectors`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'google', settings: { client_id: 'bench', client_secret: 'bench' } }),
  })
  if (!made.ok) throw new Error(`POST /v3/connectors answered ${made.status}`)
  await stop(server)
  const file = join(folder, `${name}.ndjson`)
  await writeRows(file, rows)
  const hook = join(folder, 'usage.cjs')
  writeFileSync(hook, USAGE)
  const beganMs = performance.now()
  const { stdout, stderr } = await run(process.execPath, ['--require', hook, CLI, 'import', file], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...environment },
  })
  const seconds = (performance.now() - beganMs) / 1000
  if (!stdout.includes(`"created":${rows},`)) throw new Error(`not all rows were imported: ${stdout}`)
  const [, peakKb, cpuUs] = /USAGE (\d+) (\d+)/.exec(stderr) ?? []
  rmSync(file)
  return {
    environment,
    rate: Math.round(rows / seconds),
    cpuUs: Math.round(Number(cpuUs) / rows),
    peakMb: Math.round(Number(peakKb) / 1024),
  }
}

async function writeRows(file: string, rows: number): Promise<void> {
  const out = createWriteStream(file)
  for (let row = 0; row < rows; row += 1) {
    const line = JSON.stringify({
      provider: 'google',
      email: `user-${(row * 7919) % rows}@company-${row % 97}.example`,
      refresh_token: `1//0g${String(row).padStart(10, '0')}${'AbCdEfGhIjKlMnOpQrStUvWxYz'.repeat(3)}`,
    })
    if (!out.write(`${line}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
}

type Environment = Record<string, string>

async function pages(small: Environment, large: Environment, rows: number): Promise<readonly Figure[]> {
  const few = await start(SERVE, small)
  const many = await start(SERVE, large)
  try {
    const ratioOf = async (query: string) => {
      const [here, there] = [await medianMs(many.url, query), await medianMs(few.url, query)]
      return Math.round((here / there) * 100) / 100
    }
    const deep = Math.floor(rows * 0.9)
    return [
      { name: 'first page ÷ of 1,000 grants', value: await ratioOf('?limit=50'), unit: '', bar: 1.5 },
      {
        name: 'first page of a provider, valid ÷ of 1,000 grants',
        value: await ratioOf('?limit=50&provider=google&grant_status=valid'),
        unit: '',
        bar: 1.5,
      },
      {
        name: `offset=${deep}`,
        value: Math.round(await medianMs(many.url, `?limit=50&offset=${deep}`, 5)),
        unit: 'ms',
        bar: 300,
      },
    ]
  } finally {
    await stop(few)
    await stop(many)
  }
}

async function medianMs(url: string, query: string, asks = ASKS): Promise<number> {
  const times: number[] = []
  for (let ask = 0; ask < asks; ask += 1) {
    const beganMs = performance.now()
    const answer = await fetch(`${url}/v3/grants${query}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    })
    await answer.text()
    if (!answer.ok) throw new Error(`GET /v3/grants${query} answered ${answer.status}`)
    times.push(performance.now() - beganMs)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(asks / 2)] ?? 0
}
