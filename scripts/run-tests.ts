// `npm test` and `npm run test:fast`. One `node --test` run, so that there is one summary; its exit code is
// node's, or 1 when fewer tests ran than there are known to be (a pattern that matches nothing passes silently).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installChromium } from '../test/support/chromium.ts'
import { startDovecot } from '../test/support/dovecot.ts'
import { installLanguages } from '../test/support/language-tools.ts'
import { startOAuthServer } from '../test/support/oauth-server.ts'
import { startPostgres } from '../test/support/postgres.ts'

/** Only ever goes up. */
const LEAST_TESTS = { fast: 2150, all: 3000 }

/** Two processes that load all files which need nothing but Node. */
const FAST_LANE = ['test/fast-lane/first-half.ts', 'test/fast-lane/second-half.ts']

const root = fileURLToPath(new URL('..', import.meta.url))

interface Server {
  readonly name: string
  /** A test file that imports this needs the server. */
  readonly module: string
  start(): Promise<{ stop(): Promise<void> }>
}

// In this order: Dovecot asks the OAuth server about bearer tokens.
const SERVERS: readonly Server[] = [
  { name: 'PostgreSQL', module: 'support/postgres.ts', start: startPostgres },
  { name: 'OAuth server', module: 'support/oauth-server.ts', start: startOAuthServer },
  {
    name: 'Dovecot and Postfix',
    module: 'support/dovecot.ts',
    start: () => startDovecot({ ownsMailboxes: false }),
  },
  { name: 'Chromium', module: 'support/chromium.ts', start: installChromium },
  { name: 'Python, Ruby, Java and Maven', module: 'support/language-tools.ts', start: installLanguages },
]

process.exitCode = await main(process.argv[2])

async function main(lane: string | undefined): Promise<number> {
  if (lane === 'fast') return runTests('fast', FAST_LANE)
  if (lane !== 'all') {
    console.error('usage: run-tests.ts fast|all')
    return 2
  }
  const own = globSync('{src,test}/**/*.{servers,crash}.test.ts', { cwd: root }).toSorted()
  const withServers = own.filter((file) => file.endsWith('.servers.test.ts'))
  const missing = whyNoServers()
  if (missing !== undefined) {
    for (const file of withServers) console.log(`skipped: ${file} (${missing})`)
    if (process.env['CI'] === 'true' && withServers.length > 0) {
      console.error('CI=true: nothing may be skipped, so this run fails')
      return 1
    }
  }
  const files = missing === undefined ? own : own.filter((file) => !withServers.includes(file))
  const stops = await startServers(missing === undefined ? withServers : [])
  try {
    return await runTests('all', [...FAST_LANE, ...files])
  } finally {
    for (const stop of stops.toReversed()) await stop()
  }
}

/** Says why the real servers can't be had here; `undefined` where they can. */
function whyNoServers(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root to install and start real servers'
  if (!existsSync('/etc/debian_version')) return 'needs Debian, whose packages the real servers come from'
  return undefined
}

/** Holds the servers that these files use for the whole run, so that they are started once. */
async function startServers(files: readonly string[]): Promise<readonly (() => Promise<void>)[]> {
  const texts = files.map((file) => readFileSync(`${root}${file}`, 'utf8'))
  const stops: (() => Promise<void>)[] = []
  for (const server of SERVERS) {
    if (!texts.some((text) => text.includes(server.module))) continue
    console.log(`starting ${server.name} for the tests (its Debian packages are installed where missing)`)
    const running = await server.start()
    stops.push(() => running.stop())
  }
  return stops
}

async function runTests(lane: 'fast' | 'all', files: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'grantway-tests-'))
  const counted = join(folder, 'count')
  const reporters = [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/count-reporter.mjs',
    `--test-reporter-destination=${counted}`,
  ]
  const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...reporters, ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGINT', forward).on('SIGTERM', forward)
  const [code] = (await once(child, 'close')) as [number | null]
  const tests = existsSync(counted) ? Number(readFileSync(counted, 'utf8')) : 0
  rmSync(folder, { recursive: true })
  if (code === 0 && tests < LEAST_TESTS[lane]) {
    console.error(`only ${tests} tests ran; there are at least ${LEAST_TESTS[lane]}`)
    return 1
  }
  return code ?? 1
}
