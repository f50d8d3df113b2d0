// B3: lists of an IMAP mailbox through the API, beside a raw imapflow fetch of the same page by this process, on a
// local Dovecot; many clients on one account and on twenty; pages of a mailbox of 100,000 messages.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FetchMessageObject, ImapFlow, MessageStructureObject } from 'imapflow'
import { Agent, request } from 'undici'
import { startDovecot, type TestDovecot } from '../test/support/dovecot.ts'
import type { Figure } from './figure.ts'
import { connect, connectMailbox, dateOf, mailboxOf, post } from './imap-mailboxes.ts'
import { API_KEY, SERVE, start, stop } from './server-child.ts'

const CLIENTS = 50
const ACCOUNTS = 20
const PAGE = 50
const ROUNDS = 150
const SECONDS = 8
const BIG = 100_000

interface Listed {
  readonly ids: readonly string[]
  readonly next: string | undefined
}
type List = (grantId: string, query: string) => Promise<Listed>

/** With `--big`: the mailbox of 100,000 messages, too. */
export async function measureImap(): Promise<readonly Figure[]> {
  const world = await startDovecot()
  const data = mkdtempSync(join(tmpdir(), 'grantway-bench-'))
  const agent = new Agent({ connections: CLIENTS * 2 })
  const server = await start(SERVE, {
    GRANTWAY_DATA_DIR: data,
    GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
    NODE_EXTRA_CA_CERTS: world.caFile,
    ...(process.env['BENCH_NODE_OPTIONS'] ? { NODE_OPTIONS: process.env['BENCH_NODE_OPTIONS'] } : {}),
  })
  const list: List = async (grantId, query) => {
    const { statusCode, body } = await request(`${server.url}/v3/grants/${grantId}/messages?${query}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${API_KEY}` },
    })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`a list answered ${statusCode}: ${text.slice(0, 300)}`)
    const answer = JSON.parse(text) as { data: { id: string }[]; next_cursor?: string }
    return { ids: answer.data.map(({ id }) => id), next: answer.next_cursor }
  }
  try {
    const figures: Figure[] = []
    const names = Array.from({ length: ACCOUNTS }, (_, n) => `bench${n + 1}`)
    const addresses: string[] = []
    for (const [n, name] of names.entries())
      addresses.push(await mailboxOf(world, name, n === 0 ? 2000 : 200))
    await post(server.url, '/v3/connectors', { provider: 'imap' })
    const grants = await Promise.all(addresses.map((address) => connectMailbox(server.url, world, address)))
    const [grant = ''] = grants
    const reading = { world, address: addresses[0] ?? '', grant, list }
    figures.push(...(await ratio(reading, PAGE, 1.2)), ...(await ratio(reading, 200)))
    const cpu = await cpuOf(server.child.pid ?? 0, 300, () => list(grant, `limit=${PAGE}&in=INBOX`))
    figures.push({ name: 'processor time of the server for a list of 50, warm', value: cpu, unit: 'ms' })

    const same = `limit=${PAGE}&in=INBOX`
    const pages = [same]
    for (let page = await list(grant, same); page.next && pages.length < 40; ) {
      const query = `${same}&page_token=${encodeURIComponent(page.next)}`
      pages.push(query)
      page = await list(grant, query)
    }
    figures.push(
      {
        name: `one account, ${CLIENTS} clients, ${pages.length} pages in turn`,
        ...(await rate((n) => list(grant, pages[n % pages.length] ?? same))),
        atLeast: 150,
      },
      {
        name: `one account, ${CLIENTS} clients, all the same page`,
        ...(await rate(() => list(grant, same))),
      },
    )
    for (const each of grants) await list(each, same) // warm
    figures.push({
      name: `${ACCOUNTS} accounts, ${CLIENTS} clients`,
      ...(await rate((n) => list(grants[n % ACCOUNTS] ?? '', same))),
      atLeast: 200,
    })
    if (process.argv.includes('--big')) figures.push(...(await bigMailbox(world, server.url, list)))
    const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
    return [
      ...figures,
      { name: 'load of the machine (1 minute), this bench included', value: load, unit: '' },
    ]
  } finally {
    await stop(server)
    await agent.close()
    await world.stop()
    rmSync(data, { recursive: true })
  }
}

interface Reading {
  readonly world: TestDovecot
  readonly address: string
  readonly grant: string
  readonly list: List
}

/** In turns, so that both meet the same noise. */
async function ratio(
  { world, address, grant, list }: Reading,
  size: number,
  bar?: number,
): Promise<readonly Figure[]> {
  const client = await connect(world, address)
  const ours: number[] = []
  const raw: number[] = []
  for (let round = 0; round < ROUNDS + 20; round += 1) {
    const began = performance.now()
    const { ids } = await list(grant, `limit=${size}&in=INBOX`)
    const middle = performance.now()
    const fetched = await rawPage(client, 0, size)
    const ended = performance.now()
    if (ids.length !== size || fetched !== size) throw new Error('a page is not whole')
    if (round < 20) continue // warm
    ours.push(middle - began)
    raw.push(ended - middle)
  }
  await client.logout()
  const [p50, rawP50] = [median(ours), median(raw)]
  return [
    { name: `list of ${size}, warm, p50`, value: round(p50), unit: 'ms' },
    { name: 'raw imapflow fetch of the same page, p50', value: round(rawP50), unit: 'ms' },
    {
      name: `list of ${size} ÷ raw imapflow fetch`,
      value: round(p50 / rawP50),
      unit: '',
      ...(bar === undefined ? {} : { bar }),
    },
  ]
}

/**
 * The same page without us: open the folder, headers and structure, then the text parts.
 * @param newer  how many messages are newer than the page
 * @returns how many messages
 */
async function rawPage(client: ImapFlow, newer: number, size = PAGE): Promise<number> {
  const mailbox = await client.mailboxOpen('INBOX', { readOnly: true })
  const last = mailbox.exists - newer
  const messages = await client.fetchAll(`${last - size + 1}:${last}`, {
    uid: true,
    flags: true,
    envelope: true,
    internalDate: true,
    bodyStructure: true,
    headers: ['references', 'in-reply-to'],
  })
  const byPart = new Map<string, number[]>()
  for (const message of messages) {
    const part = htmlPart(message.bodyStructure) ?? '1'
    byPart.set(part, [...(byPart.get(part) ?? []), message.uid])
  }
  let whole = 0
  for (const [part, uids] of byPart) {
    const texts: readonly FetchMessageObject[] = await client.fetchAll(
      uids.join(','),
      { uid: true, bodyParts: [part] },
      { uid: true },
    )
    whole += texts.filter((message) => message.bodyParts?.get(part)?.toString('utf8')).length
  }
  return whole
}

function htmlPart(node: MessageStructureObject | undefined): string | undefined {
  if (node?.type === 'text/html') return node.part
  for (const child of node?.childNodes ?? []) {
    const found = htmlPart(child)
    if (found) return found
  }
  return undefined
}

/** Pages at the start, in the middle and at the end: by cursor, and by date. */
async function bigMailbox(world: TestDovecot, url: string, list: List): Promise<readonly Figure[]> {
  const address = await mailboxOf(world, 'benchbig', BIG)
  const grant = await connectMailbox(url, world, address)
  const query = `limit=${PAGE}&in=INBOX`
  const time = async (at: string) => {
    const began = performance.now()
    const { ids } = await list(grant, at)
    if (ids.length !== PAGE) throw new Error('a page is not whole')
    return performance.now() - began
  }
  const cold = await time(query)
  const figures: Figure[] = [{ name: `${BIG} messages, first list ever`, value: round(cold), unit: 'ms' }]
  const client = await connect(world, address)
  const walked = await walk(grant, query, list)
  for (const [name, { newer, cursor }] of walked) {
    const before = Math.floor(dateOf(BIG - newer).getTime() / 1000)
    const pages = { cursor, received_before: `${query}&received_before=${before}` }
    for (const [way, at] of Object.entries(pages)) {
      const first = await time(at)
      const warm: number[] = []
      for (let n = 0; n < 15; n += 1) warm.push(await time(at))
      figures.push(
        {
          name: `${BIG} messages, page at the ${name} by ${way}, first time`,
          value: round(first),
          unit: 'ms',
        },
        {
          name: `${BIG} messages, page at the ${name} by ${way}, p50`,
          value: round(median(warm)),
          unit: 'ms',
        },
      )
    }
    const raw: number[] = []
    for (let n = 0; n < 15; n += 1) {
      const began = performance.now()
      await rawPage(client, newer)
      raw.push(performance.now() - began)
    }
    figures.push({
      name: `${BIG} messages, raw imapflow fetch at the ${name}, p50`,
      value: round(median(raw)),
      unit: 'ms',
    })
  }
  await client.logout()
  return figures
}

/** Walks a mailbox by cursors. @returns the pages at its start, middle and end, with how many messages are newer */
async function walk(grant: string, query: string, list: List) {
  const places = new Map([['start', { newer: 0, cursor: query }]])
  let seen = 0
  for (let next: string | undefined = ''; next !== undefined; ) {
    const at: string = next === '' ? query : `${query}&page_token=${encodeURIComponent(next)}`
    if (seen === BIG / 2) places.set('middle', { newer: seen, cursor: at })
    // The last page but one of these: it is whole.
    if (seen === BIG - 200) places.set('end', { newer: seen, cursor: at })
    const page: Listed = await list(grant, at.replace(`limit=${PAGE}`, 'limit=200'))
    seen += page.ids.length
    next = page.next
  }
  if (seen !== BIG || places.size !== 3) throw new Error(`the walk saw ${seen} of ${BIG} messages`)
  return places
}

/** Processor time of a process for each call, in milliseconds: steadier than the clock on a busy machine. */
async function cpuOf(pid: number, calls: number, one: () => Promise<unknown>): Promise<number> {
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }
  const before = ticks()
  for (let n = 0; n < calls; n += 1) await one()
  return round(((ticks() - before) * 10) / calls)
}

async function rate(one: (n: number) => Promise<unknown>): Promise<Pick<Figure, 'value' | 'unit'>> {
  const until = performance.now() + (SECONDS + 2) * 1000
  const from = until - SECONDS * 1000
  let done = 0
  let next = 0
  const client = async () => {
    while (performance.now() < until) {
      await one(next++)
      if (performance.now() >= from) done += 1
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return { value: Math.round(done / SECONDS), unit: '/s' }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
