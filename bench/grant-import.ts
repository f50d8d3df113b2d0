// B8: rows a second of `grantway import` without verification, on both engines, and the memory it takes; B6: pages of
// GET /v3/grants over what was imported, beside those of a small installation. `--rows 1000000` for the whole size.
import { execFile } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figure } from './figure.ts'
import { API_KEY, start, stop } from './server-child.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const CLI = existsSync(`${root}dist/cli/main.js`) ? 'dist/cli/main.js' : 'src/cli/main.ts'
const SMALL = 1000
const DEFAULT_ROWS = 100_000
const ASKS = 40

/** Prints the highest resident memory of the process at its end: Linux's own count. */
const PEAK = `process.on('exit', () => {
  const status = require('node:fs').readFileSync('/proc/self/status', 'utf8')
  process.stderr.write('PEAK ' + /VmHWM:\\s+(\\d+)/.exec(status)[1] + '\\n')
})`

export async function measureImport(): Promise<readonly Figure[]> {
  const at = process.argv.indexOf('--rows')
  const rows = at === -1 ? DEFAULT_ROWS : Number(process.argv[at + 1])
  const folder = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  try {
    const small = await importInto(folder, 'small', SMALL)
    const large = await importInto(folder, 'large', rows)
    return [
      { name: `rows imported on SQLite, of ${rows}`, value: large.rate, unit: '/s', atLeast: 8000 },
      { name: `peak memory of ${SMALL} rows`, value: small.peakMb, unit: 'MB' },
      { name: `peak memory of ${rows} rows`, value: large.peakMb, unit: 'MB' },
      ...(await pages(small.environment, large.environment, rows)),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function importInto(folder: string, name: string, rows: number) {
  const environment = {
    GRANTWAY_DATA_DIR: join(folder, name),
    GRANTWAY_PORT: '0',
    GRANTWAY_LOG_LEVEL: 'silent',
    GRANTWAY_API_KEY: API_KEY,
  }
  const server = await start([CLI, 'serve'], environment)
  await fetch(`${server.url}/v3/connectors`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'google', settings: { client_id: 'bench', client_secret: 'bench' } }),
  })
  await stop(server)
  const file = join(folder, `${name}.ndjson`)
  await writeRows(file, rows)
  const hook = join(folder, 'peak.cjs')
  writeFileSync(hook, PEAK)
  const beganMs = performance.now()
  const { stderr } = await run(process.execPath, ['--require', hook, CLI, 'import', file], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...environment },
  })
  const seconds = (performance.now() - beganMs) / 1000
  return {
    environment,
    rate: Math.round(rows / seconds),
    peakMb: Math.round(Number(/PEAK (\d+)/.exec(stderr)?.[1] ?? 0) / 1024),
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
  const few = await start([CLI, 'serve'], small)
  const many = await start([CLI, 'serve'], large)
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
