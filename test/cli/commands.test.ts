import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdminCommand, AppCommands } from '../../src/app/commands.ts'
import { StartError } from '../../src/app/start-error.ts'
import { judgeFailure } from '../../src/cli/failure.ts'
import { createProgram } from '../../src/cli/program.ts'
import { loadConfig } from '../../src/config/load.ts'

interface Run {
  readonly out: readonly string[]
  readonly said: readonly string[]
  readonly exitCode: number
}

async function run(args: readonly string[], app: Partial<AppCommands> = {}, environment = {}): Promise<Run> {
  const out: string[] = []
  const said: string[] = []
  let exitCode = 0
  const never = () => Promise.reject(new Error('not expected in this test'))
  const whole: AppCommands = {
    serve: never,
    demo: never,
    sandbox: never,
    migrate: never,
    admin: never,
    rotateKeys: never,
    doctor: never,
    importGrants: never,
    openapi: never,
    ...app,
  }
  const program = createProgram(
    {
      config: () => loadConfig(environment),
      app: () => Promise.resolve(whole),
      print: (line) => out.push(line),
      say: (line) => said.push(line),
      isTerminal: false,
      exitCode: (code) => {
        exitCode = code
      },
    },
    '1.2.3',
  )
  try {
    await program.parseAsync(['node', 'grantway', ...args])
  } catch (error) {
    const failure = judgeFailure(error)
    said.push(...failure.lines)
    exitCode = failure.exitCode
  }
  return { out, said, exitCode }
}

function recorder(answer: unknown): { readonly app: Partial<AppCommands>; readonly asked: AdminCommand[] } {
  const asked: AdminCommand[] = []
  return {
    asked,
    app: {
      admin: (_config, command) => {
        asked.push(command)
        return Promise.resolve(answer)
      },
    },
  }
}

test('keys create prints the key alone on stdout', async () => {
  const { app, asked } = recorder({ id: 'k1', api_key: 'the-key' })
  const { out } = await run(['keys', 'create', '--application-id', 'a1', '--name', 'ci'], app)
  assert.deepEqual(out, ['the-key'])
  assert.deepEqual(asked, [{ name: 'keys.create', keyName: 'ci', applicationId: 'a1' }])
})

test('keys list prints a table, or JSON for scripts', async () => {
  const rows = [
    { id: 'k1', name: 'first', revoked_at: null },
    { id: 'k22', name: 'b', revoked_at: 12 },
  ]
  const table = await run(['keys', 'list'], recorder(rows).app)
  assert.deepEqual(table.out, ['id   name   revoked_at', 'k1   first  -', 'k22  b      12'])
  const json = await run(['keys', 'list', '--json'], recorder(rows).app)
  assert.deepEqual(JSON.parse(json.out.join('\n')), rows)
})

test('keys revoke and the apps commands pass on what was asked', async () => {
  const { app, asked } = recorder({ application_id: 'a9' })
  await run(['keys', 'revoke', 'k1'], app)
  const made = await run(['apps', 'create', 'Shop', '--id', 'a9'], app)
  await run(['apps', 'list'], app)
  assert.deepEqual(made.out, ['a9'])
  assert.deepEqual(asked, [
    { name: 'keys.revoke', id: 'k1' },
    { name: 'apps.create', appName: 'Shop', id: 'a9' },
    { name: 'apps.list' },
  ])
})

test('a command that the application refuses ends with 1, a start that it refuses with 2', async () => {
  const failing = (error: Error) => ({ admin: () => Promise.reject(error) })
  const failed = await run(['apps', 'list'], failing(new Error('no such application')))
  assert.deepEqual([failed.exitCode, failed.said], [1, ['grantway: no such application']])
  const refused = await run(['apps', 'list'], failing(new StartError('the folder is in use')))
  assert.deepEqual([refused.exitCode, refused.said], [2, ['grantway: the folder is in use']])
})

test('a bad configuration ends with 2 and names every variable', async () => {
  const { exitCode, said } = await run(['migrate'], {}, { GRANTWAY_PORT: 'x', GRANTWAY_NOPE: '1' })
  assert.equal(exitCode, 2)
  assert.match(said.join('\n'), /GRANTWAY_NOPE[^]*GRANTWAY_PORT/)
})

test('migrate prints what it applied', async () => {
  const { out } = await run(['migrate'], { migrate: () => Promise.resolve(['0001_first', '0002_second']) })
  assert.deepEqual(out, ['0001_first', '0002_second'])
})

test('doctor ends with 1 when a check fails, and shows the advice', async () => {
  const doctor = () =>
    Promise.resolve([
      { check: 'database', ok: true, detail: 'answers' },
      { check: 'encryption key', ok: false, detail: 'is another one', advice: 'restore it' },
    ])
  const failed = await run(['doctor'], { doctor })
  assert.equal(failed.exitCode, 1)
  assert.deepEqual(failed.out, [
    'ok    configuration: every variable can be read',
    'ok    database: answers',
    'FAIL  encryption key: is another one',
    '      -> restore it',
    '1 of 3 checks failed.',
  ])
  assert.equal((await run(['doctor'], { doctor: () => Promise.resolve([]) })).exitCode, 0)
  const unreadable = await run(['doctor'], {}, { GRANTWAY_PORT: 'x' })
  assert.equal(unreadable.exitCode, 1)
  assert.match(unreadable.out[0] ?? '', /^FAIL {2}configuration: GRANTWAY_PORT /)
})

test('openapi prints the document as JSON', async () => {
  const { out } = await run(['openapi'], { openapi: () => Promise.resolve({ openapi: '3.1.0' }) })
  assert.deepEqual(JSON.parse(out.join('\n')), { openapi: '3.1.0' })
})

test('rotate-keys ends with one JSON line, and with 1 when values could not be opened', async () => {
  const done = {
    event: 'keys.rotated',
    key: 'new',
    resealed: 2,
    deleted: ['old'],
    unreadable: [],
    resumed: false,
  } as const
  const asked: boolean[] = []
  const rotateKeys =
    (outcome: Awaited<ReturnType<AppCommands['rotateKeys']>>): AppCommands['rotateKeys'] =>
    (_config, { rewrap, onProgress }) => {
      asked.push(rewrap)
      onProgress({ phase: 'reseal', total: 4, seen: 2, resealed: 1, isResumed: true })
      return Promise.resolve(outcome)
    }
  const rotated = await run(['rotate-keys'], { rotateKeys: rotateKeys(done) })
  assert.deepEqual([rotated.exitCode, rotated.out], [0, [JSON.stringify(done)]])
  assert.match(rotated.said.join('\n'), /Going on with/)
  const rewrapped = { event: 'keys.rewrapped', rewrapped: 2, under: 'k2' } as const
  assert.deepEqual((await run(['rotate-keys', '--rewrap'], { rotateKeys: rotateKeys(rewrapped) })).out, [
    JSON.stringify(rewrapped),
  ])
  const damaged = { ...done, deleted: [], unreadable: ['grant_secrets.sealed_secret of g'] }
  const failed = await run(['rotate-keys'], { rotateKeys: rotateKeys(damaged) })
  assert.equal(failed.exitCode, 1)
  assert.match(failed.said.join('\n'), /grant_secrets\.sealed_secret of g/)
  assert.deepEqual(asked, [false, true, false])
})

test('audit prints a table or a line of JSON for each entry, page after page', async () => {
  const entry = (seq: number) => ({
    seq,
    id: `e${seq}`,
    created_at: 1_767_225_600,
    actor: 'cli',
    action: 'key.created',
    target: `key:${seq}`,
    application_id: 'a1',
    detail: { name: 'ci' },
  })
  const table = await run(
    ['audit', '--actor', 'cli', '--since', '2026-01-01T00:00Z'],
    recorder([entry(7)]).app,
  )
  assert.deepEqual(table.out, [
    'time                  actor  action       target  application  detail',
    '2026-01-01T00:00:00Z  cli    key.created  key:7   a1           {"name":"ci"}',
  ])
  const asked: AdminCommand[] = []
  const admin: AppCommands['admin'] = (_config, command) => {
    asked.push(command)
    const first = asked.length === 1 ? 1000 : 500
    return Promise.resolve(Array.from({ length: 500 }, (_, at) => entry(first - at)))
  }
  const options = ['--application-id', 'a1', '--action', 'key.created', '--target', 'key:1', '--until', '9']
  const lines = await run(['audit', '--format', 'ndjson', '--limit', '700', ...options], { admin })
  const { seq: _seq, ...shown } = entry(1000)
  assert.deepEqual(JSON.parse(lines.out[0] ?? ''), shown)
  const filter = { applicationId: 'a1', action: 'key.created', target: 'key:1', until: 9 }
  assert.deepEqual(asked, [
    { name: 'audit.list', ...filter, limit: 500 },
    { name: 'audit.list', ...filter, limit: 200, beforeSeq: 501 },
  ])
  for (const bad of [
    ['--since', 'soon'],
    ['--limit', '0'],
    ['--format', 'xml'],
  ]) {
    assert.equal((await run(['audit', ...bad])).exitCode, 2, bad.join(' '))
  }
})
