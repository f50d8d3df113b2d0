// B1: lists of 50 messages of Graph through the API beside a bare proxy of the same upstream, in turns; then two
// processes on PostgreSQL. Each client has a grant of its own, so no read is shared.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import type { Figure } from './figure.ts'
import {
  connectMail,
  environmentOf,
  median,
  processorMs,
  round,
  startMailUpstream,
} from './mail-upstream-grants.ts'
import { type BenchPostgres, startBenchPostgres } from './postgres.ts'
import { API_KEY, SERVE, start, type Started, stop } from './server-child.ts'

const PROXY = fileURLToPath(new URL('graph-list-proxy.ts', import.meta.url))
const CLIENTS = 12
/** Until V8 has compiled what a list runs through. */
const WARM_UP_MS = 6000
const ROUND_MS = 2000
const ROUNDS = 6
/** What the proxy is asked for: as much as Graph is. */
const proxied = (size: number) => `/v1.0/me/messages?$top=${size}`

interface Side {
  readonly servers: readonly Started[]
  readonly urls: readonly string[]
  readonly rates: number[]
  readonly cpuMs: number[]
}

export async function measureGraphList(): Promise<readonly Figure[]> {
  const upstream = await startMailUpstream()
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const agent = new Agent({ connections: CLIENTS * 2 })
  const figures: Figure[] = []
  const environment = environmentOf(upstream)
  const proxy = await start([PROXY, upstream.url], {})
  const running = new Set([upstream, proxy])
  const serve = async (name: string, more: Record<string, string> = {}) => {
    const server = await start(SERVE, { GRANTWAY_DATA_DIR: join(data, name), ...environment, ...more })
    running.add(server)
    return server
  }
  const end = async (server: Started) => {
    running.delete(server)
    await stop(server)
  }
  let postgres: BenchPostgres | null = null
  const compare = async (label: string, servers: readonly Started[], atLeast?: number, size = 50) => {
    const ours = sideOf(servers, await listsOf(servers, size))
    const bare = sideOf([proxy], [`${proxy.url}${proxied(size)}`])
    await inTurns(agent, ours, bare)
    const perRequest = median(ours.cpuMs)
    const bar = atLeast === undefined ? {} : { atLeast }
    figures.push(
      { name: `lists of ${size} through ${label}`, value: Math.round(median(ours.rates)), unit: '/s' },
      {
        name: `the same upstream through a bare proxy, beside ${label}`,
        value: Math.round(median(bare.rates)),
        unit: '/s',
      },
      {
        name: `${label} ÷ bare proxy, by lists`,
        value: round(median(ours.rates.map((rate, n) => rate / (bare.rates[n] ?? 1)))),
        unit: '',
        ...bar,
      },
      { name: `processor time of one list, ${label}`, value: round(perRequest), unit: 'ms' },
      {
        name: `${label} ÷ bare proxy, by processor time`,
        value: round((servers.length * median(bare.cpuMs)) / perRequest),
        unit: '',
        ...bar,
      },
    )
  }
  try {
    const one = await serve('one')
    const [list = ''] = await listsOf([one], 50)
    const asked = await (await fetch(list, { headers: { authorization: `Bearer ${API_KEY}` } })).arrayBuffer()
    const given = await (await fetch(`${upstream.url}${proxied(50)}`)).arrayBuffer()
    figures.push(
      { name: 'bytes of a page of Graph', value: given.byteLength, unit: 'B' },
      { name: 'bytes of a list answered', value: asked.byteLength, unit: 'B' },
    )
    await compare('one process on SQLite', [one], 0.26)
    await compare('one process on SQLite, pages of 200', [one], undefined, 200)
    await end(one)
    postgres = await startBenchPostgres()
    if (postgres) {
      const shared = {
        GRANTWAY_DATABASE_URL: postgres.url,
        GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      }
      const first = await serve('two', shared)
      const second = await serve('three', shared)
      await compare('two processes on PostgreSQL', [first, second], 0.42)
      await Promise.all([end(first), end(second)])
    } else console.log('B1  no PostgreSQL is installed here: measured on SQLite only')
    return [
      ...figures,
      {
        name: 'load of the machine (1 minute), this bench included',
        value: round(loadavg()[0] ?? 0),
        unit: '',
      },
    ]
  } finally {
    for (const server of running) await stop(server)
    postgres?.stop()
    await agent.close()
    rmSync(data, { recursive: true })
  }

  /** One address for each client, spread over the servers. */
  async function listsOf(servers: readonly Started[], size: number): Promise<readonly string[]> {
    const [first] = servers
    if (!first) return []
    const grants = known.get(first) ?? (await connectMail(first.url, 'microsoft', CLIENTS))
    known.set(first, grants)
    return grants.map(
      (grant, n) => `${servers[n % servers.length]?.url}/v3/grants/${grant}/messages?limit=${size}`,
    )
  }
}

const known = new WeakMap<Started, readonly string[]>()

function sideOf(servers: readonly Started[], urls: readonly string[]): Side {
  const clients = Array.from({ length: CLIENTS }, (_, n) => urls[n % urls.length] ?? '')
  return { servers, urls: clients, rates: [], cpuMs: [] }
}

/** In turns, so that both meet the same noise. */
async function inTurns(agent: Agent, ours: Side, bare: Side): Promise<void> {
  for (const side of [ours, bare]) await run(agent, side, WARM_UP_MS)
  for (let n = 0; n < ROUNDS; n += 1) {
    for (const side of [ours, bare]) {
      const before = side.servers.reduce((sum, server) => sum + processorMs(server), 0)
      const began = performance.now()
      const done = await run(agent, side, ROUND_MS)
      const used = side.servers.reduce((sum, server) => sum + processorMs(server), 0) - before
      side.rates.push((done * 1000) / (performance.now() - began))
      side.cpuMs.push(used / done)
    }
  }
}

async function run(agent: Agent, { urls }: Side, ms: number): Promise<number> {
  const until = performance.now() + ms
  let done = 0
  await Promise.all(
    urls.map(async (url) => {
      while (performance.now() < until) {
        const answer = await request(url, {
          dispatcher: agent,
          headers: { authorization: `Bearer ${API_KEY}` },
        })
        if (answer.statusCode !== 200)
          throw new Error(`a list answered ${answer.statusCode}: ${await answer.body.text()}`)
        await answer.body.dump({ limit: 1024 * 1024 })
        done += 1
      }
    }),
  )
  return done
}
