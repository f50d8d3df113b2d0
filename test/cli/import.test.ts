// `grantway import` as it is run: a process, its exit code, the last line of stdout, the errors file.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { app as grantway } from '../../src/app/main.ts'
import { judgeFailure } from '../../src/cli/failure.ts'
import { createProgram } from '../../src/cli/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`

let folder: string
let app: GrantwayApp
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantway-import-cli-'))
  app = await startGrantway({ GRANTWAY_ENCRYPTION_KEYS: KEYS })
  await app.call('POST', '/v3/connectors', { provider: 'imap' })
})
after(async () => {
  await app.stop()
  await rm(folder, { recursive: true, force: true })
})

async function run(args: readonly string[], input: string) {
  const child = spawn(process.execPath, ['src/cli/main.ts', 'import', ...args], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      GRANTWAY_DATA_DIR: app.dataDir,
      GRANTWAY_ENCRYPTION_KEYS: KEYS,
      GRANTWAY_LOG_LEVEL: 'silent',
      NODE_COMPILE_CACHE: join(tmpdir(), 'grantway-crash-compile-cache'),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdin.end(input)
  let out = ''
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said, last: out.trimEnd().split('\n').at(-1) ?? '' }
}

const rowOf = (name: string) => ({
  provider: 'imap',
  email: `${name}@example.com`,
  settings: { imap_password: 'planted-password', imap_host: 'imap.example.com' },
})
const fileOf = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

test('beside a running server: the server writes; failed rows go to the errors file, exit 1', async () => {
  const errors = join(folder, 'errors.ndjson')
  const rows = fileOf([rowOf('a'), { ...rowOf('b'), email: 'planted no address' }, rowOf('c')])
  const first = await run(['-', '--errors', errors], rows)
  assert.equal(first.said, '')
  assert.equal(first.code, 1)
  assert.equal(first.last, '{"event":"imported","rows":3,"created":2,"updated":0,"skipped":0,"failed":1}')
  const written = await readFile(errors, 'utf8')
  assert.deepEqual(JSON.parse(written), {
    line: 2,
    email: 'planted no address',
    error: JSON.parse(written).error,
  })
  assert.equal(JSON.parse(written).error.type, 'api.invalid_request_error')
  assert.ok(!written.includes('planted-password'))
  assert.equal((await stat(errors)).mode & 0o777, 0o600)
  const listed = await app.call('GET', '/v3/grants?email=a%40example.com')
  assert.equal(listed.body.data[0].grant_status, 'valid')
  const file = join(folder, 'again.ndjson')
  await writeFile(file, fileOf([rowOf('a'), rowOf('c')]))
  const again = await runHere([file])
  assert.deepEqual([again.code, again.last.includes('"skipped":2')], [0, true])
})

/** The same without a process of its own. */
async function runHere(args: readonly string[], dataDir = app.dataDir) {
  const out: string[] = []
  const said: string[] = []
  let code = 0
  const environment = {
    GRANTWAY_DATA_DIR: dataDir,
    GRANTWAY_ENCRYPTION_KEYS: KEYS,
    GRANTWAY_LOG_LEVEL: 'silent',
  }
  const program = createProgram(
    {
      config: () => loadConfig(environment),
      app: async () => grantway,
      print: (line) => out.push(line),
      say: (line) => said.push(line),
      isTerminal: false,
      exitCode(given) {
        code = given
      },
    },
    '0.0.0',
  )
  const command = program.commands.find((one) => one.name() === 'import')
  command?.exitOverride().configureOutput({ writeErr: (text) => said.push(text) })
  try {
    await program.parseAsync(['node', 'grantway', 'import', ...args])
  } catch (error) {
    const failure = judgeFailure(error)
    said.push(...failure.lines)
    code = failure.exitCode
  }
  return { code, said: said.join('\n'), last: out.at(-1) ?? '' }
}

test('on an idle data folder: CSV by its ending, unknown columns told, a dry run writes nothing', async () => {
  const idle = join(folder, 'idle')
  const file = join(folder, 'grants.csv')
  await writeFile(file, 'provider,email,unknown_column\nimap,x@example.com,1\n')
  const missing = await runHere([file], idle)
  assert.equal(missing.code, 1)
  assert.match(missing.said, /line 2: Connector not found for provider imap/)
  const dry = await runHere([file, '--dry-run'])
  assert.equal(dry.code, 0)
  assert.match(dry.said, /unknown_column[^]*nothing was written/)
  assert.match(dry.last, /"created":1/)
  assert.deepEqual((await app.call('GET', '/v3/grants?email=x%40example.com')).body.data, [])
})

test('bad usage ends with 2 and says why', async () => {
  const headless = join(folder, 'headless.csv')
  await writeFile(headless, 'imap,a@example.com\n')
  const nothing = join(folder, 'nothing.ndjson')
  const wrong: readonly [args: readonly string[], said: RegExp][] = [
    [[], /missing required argument/],
    [[nothing], /nothing\.ndjson can't be read/],
    [[headless, '--format', 'xml'], /--format/],
    [[headless, '--verify', 'now', '--dry-run'], /--dry-run asks no provider/],
    [[headless, '--application-id', 'nobody'], /no application nobody/],
    [[headless], /no column provider/],
  ]
  for (const [args, text] of wrong) {
    const { code, said } = await runHere(args)
    assert.equal(code, 2, said)
    assert.match(said, text)
  }
})
