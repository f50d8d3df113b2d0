// Memory of a server while 20 clients download an attachment of 25 MB each: it is never whole in memory.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figure.ts'
import { connectMail, environmentOf, round, startMailUpstream } from './mail-upstream-grants.ts'
import { ATTACHMENT_BYTES } from './mail-upstream-mail.ts'
import { API_KEY, SERVE, start, type Started, stop } from './server-child.ts'

const CLIENTS = 20
const SAMPLE_MS = 20

export async function measureStreaming(): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const upstream = await startMailUpstream()
  try {
    for (const provider of ['microsoft', 'google'] as const) {
      const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
      const server = await start(SERVE, { GRANTWAY_DATA_DIR: data, ...environmentOf(upstream) })
      try {
        // Each client has a mailbox of its own: Graph lets four requests of one run at once.
        const grants = await connectMail(server.url, provider, CLIENTS)
        const ids = await Promise.all(grants.map((grant) => attachmentOf(server, provider, grant)))
        const idleMb = residentMb(server)
        let peakMb = idleMb
        const sampler = setInterval(() => {
          peakMb = Math.max(peakMb, residentMb(server))
        }, SAMPLE_MS)
        const began = performance.now()
        const sizes = await Promise.all(ids.map((path) => download(server, path))).finally(() =>
          clearInterval(sampler),
        )
        const tookMs = performance.now() - began
        if (sizes.some((size) => size !== ATTACHMENT_BYTES))
          throw new Error(`a download was short: ${sizes.join(' ')}`)
        figures.push(
          { name: `${provider}: resident memory before`, value: round(idleMb), unit: 'MB' },
          {
            name: `${provider}: memory above that, ${CLIENTS} clients with 25 MB each`,
            value: round(peakMb - idleMb),
            unit: 'MB',
          },
          {
            name: `${provider}: all of them`,
            value: Math.round((CLIENTS * 25 * 1000) / tookMs),
            unit: 'MB/s',
          },
        )
      } finally {
        await stop(server)
        rmSync(data, { recursive: true })
      }
    }
    return [
      ...figures,
      {
        name: 'load of the machine (1 minute), this bench included',
        value: round(loadavg()[0] ?? 0),
        unit: '',
      },
    ]
  } finally {
    await stop(upstream)
  }
}

/** The path of a download. Google's ids are those of the message's answer. */
async function attachmentOf(server: Started, provider: string, grant: string): Promise<string> {
  const message = 'a0000001'
  const grantPath = `/v3/grants/${grant}`
  if (provider === 'microsoft') return `${grantPath}/attachments/AAMkFile1/download?message_id=AAMkMessage1`
  const answer = await fetch(`${server.url}${grantPath}/messages/${message}`, { headers: authorized })
  const { data } = (await answer.json()) as {
    readonly data: { readonly attachments: readonly { readonly id: string }[] }
  }
  const id = data.attachments[0]?.id ?? ''
  return `${grantPath}/attachments/${encodeURIComponent(id)}/download?message_id=${message}`
}

/** @returns how many bytes came; none is kept */
async function download(server: Started, path: string): Promise<number> {
  const { status, body } = await fetch(`${server.url}${path}`, { headers: authorized })
  if (status !== 200 || !body) throw new Error(`${path} answered ${status}`)
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) size += chunk.length
  return size
}

function residentMb({ child }: Started): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Number(kb) / 1024
}

const authorized = { authorization: `Bearer ${API_KEY}` }
