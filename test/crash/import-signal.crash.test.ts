// `grantway import` that is asked to stop.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventually } from '../support/eventually.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { ndjson } from '../support/import-world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`
/** One batch beside a running server, and some of the next. */
const ROWS = Array.from({ length: 250 }, (_, at) => ({
  provider: 'imap',
  email: `user-${at}@example.com`,
  settings: { imap_password: 'pw', imap_host: 'imap.example.com' },
}))

let app: GrantwayApp
before(async () => {
  app = await startGrantway({ GRANTWAY_ENCRYPTION_KEYS: KEYS })
  await app.call('POST', '/v3/connectors', { provider: 'imap' })
})
after(() => app.stop())

function startImport() {
  const child = spawn(process.execPath, ['src/cli/main.ts', 'import', '-'], {
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
  child.stdin.on('error', () => {}) // it ends without reading to the end
  let out = ''
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    return { code: code as number | null, signal: signal as string | null, out, said }
  })
  return { child, ended }
}

const lastLine = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as object

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends it after the batch under way, with the sums; the same rows again go on`, async () => {
    for (const { id } of (await app.call('GET', '/v3/grants?limit=200')).body.data) {
      await app.call('DELETE', `/v3/grants/${id}`)
    }
    const { child, ended } = startImport()
    // The input stays open and silent.
    child.stdin.write(ndjson(ROWS))
    await eventually('the first batch', async () => {
      const { body } = await app.call('GET', '/v3/grants?limit=200')
      return body.data.length === 200 || undefined
    })
    child.kill(signal)
    const stopped = await ended
    assert.equal(stopped.code, 1, stopped.said)
    assert.match(stopped.said, /Stopped\. Import the same file again to go on\./)
    const first = { event: 'imported', rows: 200, created: 200, updated: 0, skipped: 0, failed: 0 }
    assert.deepEqual(lastLine(stopped.out), first)
    const again = startImport()
    again.child.stdin.end(ndjson(ROWS))
    const done = await again.ended
    assert.equal(done.code, 0, done.said)
    assert.deepEqual(lastLine(done.out), { ...first, rows: 250, created: 50, skipped: 200 })
    const left = (await app.call('GET', '/v3/grants?limit=200&offset=200')).body.data
    for (const { id } of left) await app.call('DELETE', `/v3/grants/${id}`)
  })
}
