// B2: lists of 50 messages of Gmail against an upstream that takes 40 ms over each call: messages nobody has read
// before, and again the same ones.
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figure.ts'
import { connectMail, environmentOf, median, round, startMailUpstream } from './mail-upstream-grants.ts'
import { API_KEY, SERVE, start, stop } from './server-child.ts'

const LATENCY_MS = 40
const BAR_MS = 2.2 * LATENCY_MS + 15
/** Gmail's units per minute let a grant list a few times. */
const GRANTS = 80
const LISTS = 80

export async function measureGmailList(): Promise<readonly Figure[]> {
  const upstream = await startMailUpstream(LATENCY_MS)
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const server = await start(SERVE, { GRANTWAY_DATA_DIR: data, ...environmentOf(upstream) })
  try {
    const grants = await connectMail(server.url, 'google', GRANTS)
    let turn = 0
    const list = async (limit: number, query: string) => {
      turn += 1
      const url = `${server.url}/v3/grants/${grants[turn % GRANTS]}/messages?limit=${limit}${query}`
      const began = performance.now()
      const answer = await fetch(url, { headers: { authorization: `Bearer ${API_KEY}` } })
      const text = await answer.text()
      const tookMs = performance.now() - began
      if (answer.status !== 200) throw new Error(`a list answered ${answer.status}: ${text.slice(0, 300)}`)
      return { tookMs, calls: Number(answer.headers.get('nylas-provider-request-count')) }
    }
    const measure = async (limit: number, query: string) => {
      for (let n = 0; n < GRANTS; n += 1) await list(limit, query)
      await fetch(`${upstream.url}/calls`) // counts anew
      const took: number[] = []
      let told = 0
      for (let n = 0; n < LISTS; n += 1) {
        const { tookMs, calls } = await list(limit, query)
        took.push(tookMs)
        told += calls
      }
      const { calls } = (await (await fetch(`${upstream.url}/calls`)).json()) as { readonly calls: number }
      return { p50: round(median(took)), calls: calls / LISTS, told: told / LISTS }
    }
    const fresh = await measure(50, '&in=fresh')
    const again = await measure(50, '')
    const long = await measure(200, '&in=fresh')
    return [
      { name: 'list of 50 unread before, upstream of 40 ms, p50', value: fresh.p50, unit: 'ms', bar: BAR_MS },
      { name: 'calls of such a list', value: fresh.calls, unit: '', bar: 2 },
      { name: 'calls that its header tells', value: fresh.told, unit: '', bar: 2 },
      { name: 'list of the same 50 again, p50', value: again.p50, unit: 'ms', bar: BAR_MS },
      { name: 'calls of such a list again', value: again.calls, unit: '', bar: 2 },
      { name: 'list of 200 unread before, p50', value: long.p50, unit: 'ms' },
      { name: 'calls of a list of 200', value: long.calls, unit: '' },
      {
        name: 'load of the machine (1 minute), this bench included',
        value: round(loadavg()[0] ?? 0),
        unit: '',
      },
    ]
  } finally {
    await stop(server)
    await stop(upstream)
    rmSync(data, { recursive: true })
  }
}
