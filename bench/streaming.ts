// Memory of a server while 20 clients download an attachment of 25 MB each: it is never whole in memory.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDovecot } from '../test/support/dovecot.ts'
import type { Figure } from './figure.ts'
import { bigAttachments, connectMailbox, post } from './imap-mailboxes.ts'
import { connectMail, environmentOf, round, startMailUpstream } from './mail-upstream-grants.ts'
import { ATTACHMENT_BYTES } from './mail-upstream-mail.ts'
import { API_KEY, SERVE, start, type Started, stop } from './server-child.ts'

const CLIENTS = 20
const SAMPLE_MS = 20

export async function measureStreaming(): Promise<readonly Figure[]> {
  const figures = [...(await measureWebProviders()), ...(await measureMailboxes())]
  const load = round(loadavg()[0] ?? 0)
  return [...figures, { name: 'load of the machine (1 minute), this bench included', value: load, unit: '' }]
}

async function measureWebProviders(): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const upstream = await startMailUpstream()
  try {
    for (const provider of ['microsoft', 'google'] as const) {
      const measured = await measureOne(provider, environmentOf(upstream), async (server) => {
        // Each client has a mailbox of its own: Graph lets four requests of one run at once.
        const grants = await connectMail(server.url, provider, CLIENTS)
        return await Promise.all(grants.map((grant) => attachmentOf(server, provider, grant)))
      })
      figures.push(...measured)
    }
    return figures
  } finally {
    await stop(upstream)
  }
}

async function measureMailboxes(): Promise<readonly Figure[]> {
  const world = await startDovecot()
  const environment = { GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8', NODE_EXTRA_CA_CERTS: world.caFile }
  try {
    const addresses = await bigAttachments(world, CLIENTS)
    return await measureOne('imap', environment, async (server) => {
      await post(server.url, '/v3/connectors', { provider: 'imap' })
      const paths: string[] = []
      for (const address of addresses) {
        const grant = `/v3/grants/${await connectMailbox(server.url, world, address)}`
        paths.push(await newestAttachment(server, grant))
      }
      return paths
    })
  } finally {
    await world.stop()
  }
}

/** @param prepare  makes grants, and gives the path of a download for each client */
async function measureOne(
  name: string,
  environment: Record<string, string>,
  prepare: (server: Started) => Promise<readonly string[]>,
): Promise<readonly Figure[]> {
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const server = await start(SERVE, { GRANTWAY_DATA_DIR: data, ...environment })
  try {
    const paths = await prepare(server)
    const idleMb = residentMb(server)
    let peakMb = idleMb
    const sampler = setInterval(() => {
      peakMb = Math.max(peakMb, residentMb(server))
    }, SAMPLE_MS)
    const began = performance.now()
    const sizes = await Promise.all(paths.map((path) => download(server, path))).finally(() =>
      clearInterval(sampler),
    )
    const tookMs = performance.now() - began
    if (sizes.some((size) => size !== ATTACHMENT_BYTES)) {
      throw new Error(`a download was short: ${sizes.join(' ')}`)
    }
    const above = `${name}: memory above that, ${paths.length} clients with 25 MB each`
    return [
      { name: `${name}: resident memory before`, value: round(idleMb), unit: 'MB' },
      { name: above, value: round(peakMb - idleMb), unit: 'MB' },
      { name: `${name}: all of them`, value: Math.round((paths.length * 25 * 1000) / tookMs), unit: 'MB/s' },
    ]
  } finally {
    await stop(server)
    rmSync(data, { recursive: true })
  }
}

async function newestAttachment(server: Started, grantPath: string): Promise<string> {
  const answer = await fetch(`${server.url}${grantPath}/messages?in=INBOX&limit=1`, { headers: authorized })
  const { data } = (await answer.json()) as {
    readonly data: readonly {
      readonly id: string
      readonly attachments: readonly { readonly id: string }[]
    }[]
  }
  const [message, id] = [encodeURIComponent(data[0]?.id ?? ''), data[0]?.attachments[0]?.id ?? '']
  return `${grantPath}/attachments/${encodeURIComponent(id)}/download?message_id=${message}`
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
