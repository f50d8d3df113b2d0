import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { after, before, test } from 'node:test'
import { ProviderError } from '../../kit/provider-error.ts'
import { createMailDns, type MailDns } from './dns.ts'

/** A name server on loopback: `mx.example` has mail, `no.example` does not exist, `bad.example` fails, others are silent. */
let server: Socket
let dns: MailDns
let onQuery: () => void = () => {}

const encodeName = (name: string) =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ])
const numbers = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))

function answerTo(query: Buffer): Buffer | undefined {
  const end = query.indexOf(0, 12)
  const question = query.subarray(12, end + 5)
  const type = query.readUInt16BE(end + 1)
  const labels: string[] = []
  for (let at = 12; at < end; at += 1 + query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query.readUInt8(at)))
  }
  const name = labels.join('.')
  const reply = (rcode: number, records: readonly Buffer[] = []) =>
    Buffer.concat([
      query.subarray(0, 2),
      numbers(0x8180 | rcode, 1, records.length, 0, 0),
      question,
      ...records,
    ])
  const record = (data: Buffer) => Buffer.concat([numbers(0xc00c, type, 1, 0, 60, data.length), data])
  if (name === 'no.example') return reply(3)
  if (name === 'bad.example') return reply(2)
  if (name === 'mx.example') {
    return type === 15
      ? reply(0, [record(Buffer.concat([numbers(10), encodeName('in.mx.example')]))])
      : reply(0)
  }
  if (name === '_imaps._tcp.mx.example') {
    return reply(0, [record(Buffer.concat([numbers(1, 2, 993), encodeName('imap.mx.example')]))])
  }
  return undefined
}

before(async () => {
  server = createSocket('udp4')
  server.on('message', (query, from) => {
    onQuery()
    const answer = answerTo(query)
    if (answer) server.send(answer, from.port, from.address)
  })
  await new Promise<void>((done) => server.bind(0, '127.0.0.1', done))
  dns = createMailDns([`127.0.0.1:${server.address().port}`])
})
after(() => server.close())

const { signal } = new AbortController()
const isKind = (kind: string) => (error: unknown) => error instanceof ProviderError && error.kind === kind

test('reads MX and SRV records', async () => {
  assert.deepEqual(
    (await dns.mx('mx.example', signal)).map(({ exchange, priority }) => [exchange, priority]),
    [['in.mx.example', 10]],
  )
  assert.deepEqual(
    (await dns.srv('_imaps._tcp.mx.example', signal)).map(({ name, port, priority, weight }) => [
      name,
      port,
      priority,
      weight,
    ]),
    [['imap.mx.example', 993, 1, 2]],
  )
})

test('a name without such records, or that does not exist, has none', async () => {
  assert.deepEqual(await dns.srv('mx.example', signal), [])
  assert.deepEqual(await dns.mx('no.example', signal), [])
})

test('a name server that fails is not a domain without mail', async () => {
  await assert.rejects(dns.mx('bad.example', signal), isKind('unavailable'))
})

test('gives up with its signal', async () => {
  const given = new AbortController()
  onQuery = () => given.abort()
  await assert.rejects(dns.mx('silent.example', given.signal), isKind('timeout'))
  await assert.rejects(dns.mx('mx.example', given.signal), isKind('timeout'))
})
