// The upstream as a child, and grants of it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { API_KEY, start, type Started } from './server-child.ts'

const UPSTREAM = fileURLToPath(new URL('mail-upstream.ts', import.meta.url))

export function startMailUpstream(latencyMs = 0): Promise<Started> {
  return start([UPSTREAM, String(latencyMs)], {})
}

/** Variables that point a server to it. */
export function environmentOf({ url }: Started): Record<string, string> {
  return {
    GRANTWAY_GOOGLE_TOKEN_URL: `${url}/token`,
    GRANTWAY_GOOGLE_USERINFO_URL: `${url}/userinfo`,
    GRANTWAY_GOOGLE_GMAIL_URL: url,
    GRANTWAY_MICROSOFT_TOKEN_URL: `${url}/{tenant}/token`,
    GRANTWAY_MICROSOFT_GRAPH_URL: url,
    ...(process.env['BENCH_NODE_OPTIONS'] ? { NODE_OPTIONS: process.env['BENCH_NODE_OPTIONS'] } : {}),
  }
}

/** Makes a connector and grants of it. @returns their ids */
export async function connectMail(
  url: string,
  provider: 'google' | 'microsoft',
  count: number,
): Promise<readonly string[]> {
  const settings = { client_id: 'bench', client_secret: 'bench-secret' }
  const scope =
    provider === 'google' ? ['openid', 'https://www.googleapis.com/auth/gmail.modify'] : ['Mail.ReadWrite']
  await post(url, '/v3/connectors', { provider, settings, scope })
  return await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const grant = { provider, settings: { refresh_token: `refresh-${n + 1}` } }
      const answer = (await post(url, '/v3/connect/custom', grant)) as { data: { id: string } }
      return answer.data.id
    }),
  )
}

async function post(url: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
  return JSON.parse(text)
}

/** What a process has used so far, from Linux's /proc (100 ticks a second). */
export function processorMs({ child }: Started): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

export const round = (value: number): number => Math.round(value * 100) / 100

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
