import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function grantway(args: readonly string[], environment: Record<string, string> = {}) {
  return spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
  })
}

const COMMANDS = ['serve', 'demo', 'sandbox', 'migrate', 'keys', 'apps', 'doctor', 'openapi']

test('--version prints the version of the package', () => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { status, stdout } = grantway(['--version'])
  assert.deepEqual([status, stdout.trim()], [0, (JSON.parse(manifest) as { version: string }).version])
})

test('--help lists every command and ends with 0', () => {
  const { status, stdout } = grantway(['--help'])
  assert.equal(status, 0)
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
})

test('every command has its own --help', () => {
  const pages = [...COMMANDS.map((name) => [name]), ['keys', 'create'], ['keys', 'list'], ['keys', 'revoke']]
  for (const page of [...pages, ['apps', 'create'], ['apps', 'list']]) {
    const { status, stdout } = grantway([...page, '--help'])
    assert.equal(status, 0, page.join(' '))
    assert.match(stdout, new RegExp(`^Usage: grantway ${page.join(' ')}\\b`))
  }
})

test('bad usage ends with 2, says what is wrong on stderr and nothing on stdout', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /Usage: grantway/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['serve', '--role', 'boss'], /--role.*boss.*Allowed choices are all, api, worker/],
    [['serve', 'extra'], /too many arguments/],
    [['serve', '--prot', '1'], /unknown option '--prot'/],
    [['sandbox', '--port', '70000'], /--port.*70000.*port number/],
    [['keys'], /Usage: grantway keys/],
    [['keys', 'revoke'], /missing required argument 'id'/],
    [['apps', 'create', 'x', '--id', 'a b'], /--id.*letters/],
  ]
  for (const [args, words] of cases) {
    const { status, stdout, stderr } = grantway(args)
    assert.equal(status, 2, args.join(' '))
    assert.match(stderr, words)
    assert.equal(stdout, '')
  }
})

test('a bad configuration stops the start with 2 and names the variable', () => {
  const { status, stdout, stderr } = grantway(['serve'], { GRANTWAY_PORT: '-1', GRANTWAY_COLOUR: 'red' })
  assert.equal(status, 2)
  assert.match(stderr, /^grantway: GRANTWAY_PORT /m)
  assert.match(stderr, /^grantway: GRANTWAY_COLOUR /m)
  assert.equal(stdout, '')
})
