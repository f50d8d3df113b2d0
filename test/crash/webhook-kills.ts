import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../src/kit/deadline.ts'
import { eventually } from '../support/eventually.ts'
import { callApi, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import {
  type ReceivedDelivery,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../support/webhook-receiver.ts'

// Grants of virtual calendars need nobody outside: connecting one writes `grant.created`, and deleting it
// `grant.deleted`. What was acknowledged, and whatever exists afterwards, must have been delivered.

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEY = 'webhook-kill-test-api-key-of-more-than-32-characters'
const PROVIDER = 'virtual-calendar'
const PATH = '/hook'
/** Grants that are made between two deaths. */
const GRANTS_PER_LIFE = 12
/** How long at most a server lives on after the delivery that was waited for. */
const MOST_DELAY_MS = 80
/** Every so many lives end while the server starts, which is when it takes up what the one before it held. */
const STARTING_DEATHS = 2

/** A database with a destination, and servers over it that can be killed. */
export interface KillWorld {
  readonly receiver: WebhookReceiver
  start(): Promise<ServerProcess>
  /** Starts a server and kills it after that time, whatever it has come to. */
  startAndKill(afterMs: number): Promise<void>
  /** Waits until every delivery is written down. */
  allSettled(server: ServerProcess): Promise<void>
  stop(): Promise<void>
}

/** @param database  which one, as environment variables */
export async function prepareKillWorld(database: { readonly [name: string]: string }): Promise<KillWorld> {
  const receiver = await startWebhookReceiver()
  const environment = {
    ...database,
    GRANTWAY_PORT: '0',
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    GRANTWAY_API_KEY: KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
    GRANTWAY_LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: join(tmpdir(), 'grantway-crash-compile-cache'),
  }
  const args = ['test/crash/killable-server.ts', '--with-jobs']
  const start = () => startServerProcess(args, environment)
  const server = await start()
  const connector = await callApi(server, KEY, 'POST', '/v3/connectors', { provider: PROVIDER })
  assert.equal(connector.status, 201, JSON.stringify(connector.body))
  const destination = await callApi(server, KEY, 'POST', '/v3/webhooks', {
    webhook_url: receiver.url + PATH,
    trigger_types: ['grant.created', 'grant.deleted'],
  })
  assert.equal(destination.status, 200, JSON.stringify(destination.body))
  await server.end('SIGTERM')
  return {
    receiver,
    start,
    async startAndKill(afterMs) {
      const child = spawn(process.execPath, args, { cwd: root, env: environment, stdio: 'ignore' })
      const gone = once(child, 'close')
      await sleep(afterMs)
      child.kill('SIGKILL')
      await gone
    },
    async allSettled(running) {
      const pending = `/v3/webhooks/${destination.body.data.id}/deliveries?status=pending`
      await eventually('nothing pending', async () => {
        const { body } = await callApi(running, KEY, 'GET', pending)
        return body.data.length === 0 ? true : undefined
      })
    },
    stop: () => receiver.stop(),
  }
}

/**
 * Makes a grant. A death meanwhile leaves it open whether there is one.
 *
 * @param headers  may say where the server is to die
 * @returns its id; null when there was no answer
 */
export async function makeGrant(
  server: ServerProcess,
  email: string,
  headers: { readonly [name: string]: string } = {},
): Promise<string | null> {
  try {
    const response = await fetch(`${server.url}/v3/connect/custom`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ provider: PROVIDER, settings: { email } }),
    })
    const body = (await response.json()) as { readonly data: { readonly id: string } }
    assert.equal(response.status, 201, JSON.stringify(body))
    return body.data.id
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    return null // it died
  }
}

/** Every grant there is. */
async function grantIds(server: ServerProcess): Promise<readonly string[]> {
  const ids: string[] = []
  for (let offset = 0; ; offset += 200) {
    const page = await callApi(server, KEY, 'GET', `/v3/grants?limit=200&offset=${offset}`)
    assert.equal(page.status, 200, JSON.stringify(page.body))
    for (const { id } of page.body.data) ids.push(id)
    if (page.body.data.length < 200) return ids
  }
}

export interface KillReport {
  readonly grants: number
  readonly deliveries: number
  readonly duplicates: number
}

/**
 * Waits, on a living server, until every grant's event has come, and checks what came: one event for each grant, and
 * repeated deliveries of it that differ in the attempt only.
 *
 * @param acknowledged  grants whose making was answered
 */
export async function checkDeliveries(
  { receiver }: KillWorld,
  server: ServerProcess,
  acknowledged: readonly string[],
): Promise<KillReport> {
  const grants = await grantIds(server)
  for (const id of acknowledged) assert.ok(grants.includes(id), `the acknowledged grant ${id} is lost`)
  const delivered = () => new Set(receiver.received.map(grantOf))
  await eventually('an event of each grant', async () => {
    const there = delivered()
    return grants.every((id) => there.has(id)) ? true : undefined
  })
  assert.deepEqual([...delivered()].toSorted(), grants.toSorted(), 'no event of a grant that does not exist')
  const byEvent = new Map<string, ReceivedDelivery[]>()
  for (const delivery of receiver.received) {
    const id = String(delivery.envelope.id)
    byEvent.set(id, [...(byEvent.get(id) ?? []), delivery])
  }
  assert.equal(byEvent.size, grants.length, 'one event for each grant')
  for (const deliveries of byEvent.values()) checkDuplicates(deliveries)
  return {
    grants: grants.length,
    deliveries: receiver.received.length,
    duplicates: receiver.received.length - grants.length,
  }
}

const grantOf = ({ envelope }: ReceivedDelivery): string => envelope.data.object.grant_id

function checkDuplicates(deliveries: readonly ReceivedDelivery[]): void {
  const attempts = deliveries.map(({ envelope }) => envelope.webhook_delivery_attempt)
  assert.equal(new Set(attempts).size, attempts.length, `an attempt came twice: ${attempts.join(', ')}`)
  const [first, ...others] = deliveries.map(({ envelope }) => ({ ...envelope, webhook_delivery_attempt: 0 }))
  for (const other of others) assert.deepEqual(other, first)
}

/** Kills a server at random moments while it makes events and delivers them, and looks whether any is lost. */
export async function runWebhookKills(options: { readonly kills: number }): Promise<KillReport> {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-webhook-kills-'))
  const world = await prepareKillWorld({ GRANTWAY_DATA_DIR: folder })
  let server: ServerProcess | undefined
  try {
    const acknowledged: string[] = []
    let startMs = 0
    for (let life = 1; life <= options.kills; life += 1) {
      if (life % STARTING_DEATHS === 0) {
        await world.startAndKill(Math.random() * 1.5 * startMs)
        continue
      }
      const startedAtMs = performance.now()
      server = await world.start()
      startMs = performance.now() - startedAtMs
      acknowledged.push(...(await liveAndDie(world, server, life)))
    }
    server = await world.start()
    return await checkDeliveries(world, server, acknowledged)
  } finally {
    await server?.end('SIGKILL')
    await world.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Makes grants and dies after some of the deliveries of this life. @returns those whose making was answered */
async function liveAndDie(world: KillWorld, server: ServerProcess, life: number): Promise<readonly string[]> {
  const { receiver } = world
  const most = receiver.received.length + Math.floor(Math.random() * GRANTS_PER_LIFE)
  const made = Array.from({ length: GRANTS_PER_LIFE }, (_, at) => makeGrant(server, `room-${life}-${at}`))
  await receiver.waitFor(PATH, most)
  await sleep(Math.random() * MOST_DELAY_MS)
  await server.end('SIGKILL')
  return (await Promise.all(made)).filter((id) => id !== null)
}

/** Where a server dies: before a call of a store, or when what the call belongs to is durable. */
export interface Death {
  readonly when: 'before' | 'after'
  readonly step: string
}

/**
 * Kills a server at steps on the way from a grant's event to its delivery. The server that takes up what one death left
 * is the one that dies next.
 *
 * @param options.database  which one, as environment variables
 */
export async function killAtDeliverySteps(options: {
  readonly deaths: readonly Death[]
  readonly database: { readonly [name: string]: string }
}): Promise<KillReport> {
  const world = await prepareKillWorld(options.database)
  let server = await world.start()
  try {
    const acknowledged: string[] = []
    for (const { when, step } of options.deaths) {
      const headers = { 'x-kill-in': step, 'x-kill-when': when }
      const id = await makeGrant(server, `room-${when}-${step}`, headers)
      if (id !== null) acknowledged.push(id)
      assert.equal(await server.gone, null, `${step} killed it`)
      server = await world.start()
      await checkDeliveries(world, server, acknowledged)
      await world.allSettled(server)
    }
    return await checkDeliveries(world, server, acknowledged)
  } finally {
    await server.end('SIGKILL')
    await world.stop()
  }
}
