import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { eventually } from '../support/eventually.ts'
import { callApi, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { countEvents } from './count-events.ts'
import { startRemoteMailbox } from './remote-mailbox.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEY = 'scheduled-kill-test-api-key-of-more-than-32-characters'
const PROVIDER = 'virtual-calendar'
const FILE_BYTES = 700_000

/** Where a server dies, and what must have become of the message: how often it was sent, and how it ended. */
export interface ScheduledDeath {
  readonly when: 'before' | 'after'
  readonly step: string
  readonly sent: 0 | 1
  readonly code: 'success' | 'failed'
}

/**
 * Kills a server at steps of sending what is due. The server that takes up what one death left schedules the message
 * that the next one dies of.
 *
 * @param database  which one, as environment variables
 */
export async function killAtSendingSteps(
  database: { readonly [name: string]: string },
  deaths: readonly ScheduledDeath[],
): Promise<void> {
  const mailbox = await startRemoteMailbox()
  const environment = {
    ...database,
    GRANTWAY_PORT: '0',
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    GRANTWAY_API_KEY: KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: join(tmpdir(), 'grantway-crash-compile-cache'),
  }
  const args = ['test/crash/killable-server.ts', '--with-jobs', `--mailbox=${mailbox.url}`]
  const start = () => startServerProcess(args, environment)
  let server = await start()
  try {
    const call = (method: string, path: string, body?: object) => callApi(server, KEY, method, path, body)
    assert.equal((await call('POST', '/v3/connectors', { provider: PROVIDER })).status, 201)
    for (const [at, { when, step, sent, code }] of deaths.entries()) {
      const subject = `${when} ${step}`
      const settings = { email: `room-${at}` }
      const made = await call('POST', '/v3/connect/custom', { provider: PROVIDER, settings })
      assert.equal(made.status, 201, JSON.stringify(made.body))
      const grantId: string = made.body.data.id
      const scheduled = await call('POST', `/v3/grants/${grantId}/messages/send`, {
        to: [{ email: 'ada@acme.example' }],
        subject,
        body: 'x',
        send_at: Math.floor(Date.now() / 1000) + 3600,
        attachments: [{ content: Buffer.alloc(FILE_BYTES).toString('base64') }],
      })
      assert.equal(scheduled.status, 202, JSON.stringify(scheduled.body))
      // A process that was killed says nothing to the database, and must be known for dead all the same.
      await server.end('SIGKILL')
      await makeDue(database)
      const child = spawn(process.execPath, [...args, `--kill-in=${step}`, `--kill-when=${when}`], {
        cwd: root,
        env: environment,
        stdio: 'ignore',
      })
      const [, signal] = (await once(child, 'close')) as [number | null, string | null]
      assert.equal(signal, 'SIGKILL', `${subject} killed it`)
      server = await start()
      await checkEnd(server, `/v3/grants/${grantId}/messages/schedules/${scheduled.body.schedule_id}`, code)
      const all = mailbox.sent.filter((each) => each.subject === subject)
      assert.equal(all.length, sent, `${subject}: sent ${all.length} times`)
      for (const { fileBytes } of all) assert.equal(fileBytes, FILE_BYTES)
      const events = ['message.send_success', 'message.send_failed'].map((trigger) =>
        countEvents(database, grantId, trigger),
      )
      assert.deepEqual(await Promise.all(events), code === 'success' ? [1, 0] : [0, 1], subject)
    }
    assert.equal(mailbox.sent.length, deaths.filter(({ sent }) => sent === 1).length)
  } finally {
    await server.end('SIGKILL')
    await mailbox.stop()
  }
}

async function checkEnd(server: ServerProcess, path: string, code: string): Promise<void> {
  const ended = await eventually(`an end of ${path}`, async () => {
    const { body } = await callApi(server, KEY, 'GET', path)
    return body.data.status.code === 'pending' ? undefined : body.data.status
  })
  assert.equal(ended.code, code, ended.description)
  if (code === 'failed') assert.match(ended.description, /may have been sent/)
}

async function makeDue(database: { readonly [name: string]: string }): Promise<void> {
  const statement = `update scheduled_sends set due_at_ms = 0 where state = 'waiting'`
  const folder = database['GRANTWAY_DATA_DIR']
  if (folder !== undefined) {
    const file = new DatabaseSync(join(folder, 'grantway.db'))
    file.exec(statement)
    file.close()
    return
  }
  const client = new pg.Client({ connectionString: database['GRANTWAY_DATABASE_URL'] ?? '' })
  await client.connect()
  await client.query(statement)
  await client.end()
}
