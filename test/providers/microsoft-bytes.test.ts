// Lists of Graph are read in bytes where that is as good. Each answer is compared with the one to the same list of a
// server that is made to read characters.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { request } from 'undici'
import type { ProviderName } from '../../src/contract/providers.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { type FakeGraph, startFakeGraph } from '../support/fake-graph/start-fake-graph.ts'
import { FAKE_CLIENT } from '../support/fake-graph/token-endpoint.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

let graph: FakeGraph
let app: GrantwayApp
let base = ''
let takesBytes = true

function withSwitch([name, module]: readonly [ProviderName, ProviderModule]): [ProviderName, ProviderModule] {
  const { mail } = module
  if (!mail) return [name, module]
  const list: Mail['messages']['list'] = (session, query) =>
    mail.messages.list(session, takesBytes ? query : { ...query, takesBytes: false })
  return [name, { ...module, mail: { ...mail, messages: { ...mail.messages, list } } }]
}

before(async () => {
  graph = await startFakeGraph()
  app = await startGrantway(
    { GRANTWAY_MICROSOFT_TOKEN_URL: graph.endpoints.tokenUrl, GRANTWAY_MICROSOFT_GRAPH_URL: graph.url },
    { overrides: { wrapProviders: (providers) => new Map([...providers].map(withSwitch)) } },
  )
  const settings = { client_id: FAKE_CLIENT.clientId, client_secret: FAKE_CLIENT.clientSecret }
  await app.call('POST', '/v3/connectors', { provider: 'microsoft', settings, scope: ['Mail.Read'] })
  const { body } = await app.call('POST', '/v3/connect/custom', {
    provider: 'microsoft',
    settings: { refresh_token: graph.tokens.mint('ada@contoso.example') },
  })
  base = `/v3/grants/${body.data.id}/messages`
})
after(async () => {
  await app.stop()
  await graph.stop()
})

/** What a list answers to bytes of Graph, but for its request id. */
async function listed(
  json: Buffer,
  query = 'limit=3',
  headers = {},
): Promise<{ status: number; bytes: Buffer }> {
  graph.intercept(({ path }) =>
    path.includes('/messages?')
      ? { status: 200, headers: { 'content-type': 'application/json' }, body: json }
      : undefined,
  )
  const answer = await request(`${app.url}${base}?${query}`, {
    headers: { authorization: `Bearer ${app.key}`, ...headers },
  })
  const sent = Buffer.from(await answer.body.arrayBuffer())
  const body = answer.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
  const requestId = String(answer.headers['x-request-id'])
  const at = body.indexOf(requestId)
  return {
    status: answer.statusCode,
    bytes: Buffer.concat([body.subarray(0, at), body.subarray(at + requestId.length)]),
  }
}

/** A page of Graph's; the pieces may be any bytes. */
function pageOf(items: readonly Buffer[], link = ''): Buffer {
  const value = items.flatMap((item, n) => (n === 0 ? [item] : [Buffer.from(','), item]))
  const next = link === '' ? '' : `"@odata.nextLink":${JSON.stringify(graph.url + link)},`
  return Buffer.concat([Buffer.from(`{${next}"value":[`), ...value, Buffer.from(']}')])
}

async function assertSame(page: Buffer, query = 'limit=3', headers = {}): Promise<string> {
  takesBytes = true
  const inBytes = await listed(page, query, headers)
  takesBytes = false
  const inCharacters = await listed(page, query, headers)
  takesBytes = true
  assert.equal(inBytes.bytes.toString('latin1'), inCharacters.bytes.toString('latin1'))
  assert.equal(inBytes.status, inCharacters.status)
  return inBytes.bytes.toString()
}

const EDGES = [
  ' ',
  '\u00a0',
  '\u2003',
  '\u3000',
  '\ufeff',
  '\u200b',
  '\u00ad',
  '\u034f',
  '\u0085',
  'à',
  'í',
  'Å',
  '\n',
  '"',
  '\\',
]
const WORDS = [
  'Grüße',
  'ΑΩ',
  'привет',
  'שלום',
  'مرحبا',
  'नमस्ते',
  '你好',
  '안녕',
  '👩‍👩‍👧',
  '🇩🇪',
  '𝕏',
  'é',
  'É',
  'plain',
  'K',
  'ſ',
  'İ',
]
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...EDGES, ...WORDS),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.tuple(fc.constantFrom('x', 'ä', '語', '😀'), fc.nat(130)).map(([unit, times]) => unit.repeat(times)),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(''))
const person = fc.record({
  emailAddress: fc.record(
    { name: text, address: fc.oneof(text, fc.constant('É@x.example')) },
    { requiredKeys: [] },
  ),
})
const people = fc.array(person, { maxLength: 3 })
const moment = fc.oneof(
  fc.constantFrom('2026-11-24T12:00:00Z', '2026-11-24T12:00:00.5Z', '0001-01-01T00:00:00Z'),
  text,
)
const attachment = fc.record(
  {
    id: fc.oneof(fc.constant('AAMk-a1='), text),
    '@odata.type': fc.constantFrom('#microsoft.graph.fileAttachment', '#microsoft.graph.itemAttachment', 'É'),
    name: text,
    contentType: text,
    contentId: text,
    size: fc.oneof(fc.nat(), text, fc.constant('\u00a05')),
    isInline: fc.boolean(),
  },
  { requiredKeys: [] },
)
const message = fc.record(
  {
    id: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('AAMk-1=', 'AAMk-2=') },
      { weight: 1, arbitrary: text },
    ),
    subject: text,
    bodyPreview: text,
    body: fc.record({ content: text.map((content) => `<p>${content}</p>`) }),
    conversationId: text,
    parentFolderId: text,
    from: person,
    sender: person,
    toRecipients: people,
    ccRecipients: people,
    replyTo: people,
    receivedDateTime: moment,
    sentDateTime: moment,
    flag: fc.record({ flagStatus: fc.constantFrom('flagged', 'FLAGGED', 'ﬂagged', 'É') }),
    attachments: fc.array(attachment, { maxLength: 2 }),
    isRead: fc.boolean(),
  },
  { requiredKeys: ['id'] },
)

/** JSON as Graph may write it: letters as they are, or escaped; now and then with bytes that are no UTF-8. */
const written = fc
  .tuple(
    message,
    fc.constantFrom('plain', 'plain', 'plain', 'escaped', 'broken'),
    fc.constantFrom(0x80, 0xc3, 0xff),
  )
  .map(([object, how, byte]) => {
    const json = JSON.stringify(object)
    if (how === 'escaped') {
      return Buffer.from(
        json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
      )
    }
    const bytes = Buffer.from(json)
    const at = bytes.indexOf(',"')
    if (how === 'plain' || at === -1) return bytes
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(',"subject":"'),
      Buffer.of(byte),
      Buffer.from('"'),
      bytes.subarray(at),
    ])
  })

const NEXT = '/v1.0/me/messages?%24skip=3'

test('answers the bytes it would answer had it read characters, whatever the mail', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(written, { maxLength: 3 }),
      fc.constantFrom('', '&unread=true', '&select=id,subject,from', '&subject=é', '&from=é@x.example'),
      fc.constantFrom('', NEXT, NEXT + '&%24skiptoken=é'),
      async (items, query, link) =>
        void (await assertSame(pageOf(items, link), `limit=${Math.max(1, items.length)}${query}`)),
    ),
    { numRuns: 30 },
  )
})

const LETTER = {
  id: 'AAMk-1=',
  subject: 'à l’été 😀',
  bodyPreview: 'Grüße à',
  from: { emailAddress: { name: 'Zoë à', address: 'z@x.example' } },
}
const letter = Buffer.from(JSON.stringify(LETTER))

test('what it answers is the mail: compressed, too', async () => {
  for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
    const { data } = JSON.parse(await assertSame(pageOf([letter]), 'limit=3', headers))
    assert.equal(data[0].subject, LETTER.subject)
    assert.equal(data[0].snippet, 'Grüße à')
    assert.deepEqual(data[0].from, [{ name: 'Zoë à', email: 'z@x.example' }])
  }
})

test('bytes that are no UTF-8, ids and texts that are compared are read as characters', async () => {
  const broken = Buffer.from('{"id":"AAMk-1=","subject":"?"}')
  broken[broken.indexOf('?')] = 0xff
  assert.equal(JSON.parse(await assertSame(pageOf([broken]))).data[0].subject, '\ufffd')
  const dated = (id: string) =>
    Buffer.from(JSON.stringify({ id, receivedDateTime: '2026-11-24T12:00:00Z', subject: 'É' }))
  const { next_cursor } = JSON.parse(await assertSame(pageOf([dated('ä'), dated('ö')], NEXT), 'limit=1'))
  assert.ok(next_cursor)
  assert.equal(JSON.parse(await assertSame(pageOf([dated('AAMk-1=')]), 'limit=1&subject=é')).data.length, 1)
})

test('metadata that was kept with a message is written like the rest', async () => {
  graph.intercept(({ path }) =>
    path.includes('/messages/AAMk-1') ? { status: 200, body: letter } : undefined,
  )
  const metadata = { key1: 'Größe 😀', ключ: '值 "x"' }
  const put = await app.call('PUT', `${base}/AAMk-1=`, { metadata })
  assert.equal(put.status, 200, put.text)
  const { data } = JSON.parse(await assertSame(pageOf([letter])))
  assert.deepEqual(data[0].metadata, metadata)
  await app.call('PUT', `${base}/AAMk-1=`, { metadata: {} })
})

test('pages that must be read in characters and others make one list', async () => {
  const more = Buffer.from(
    JSON.stringify({ ...LETTER, id: 'AAMk-2=', receivedDateTime: '2026-11-24T12:00:00Z' }),
  )
  const escaped = (json: Buffer) => Buffer.from(json.toString().replace('Grüße', String.raw`Gr\u00fc\u00dfe`))
  for (const [first, second] of [
    [letter, escaped(more)],
    [escaped(letter), more],
  ] as const) {
    let page = 0
    graph.intercept(({ path }) => {
      if (!path.includes('/messages?')) return undefined
      page += 1
      return { status: 200, body: page === 1 ? pageOf([first], NEXT) : pageOf([second]) }
    })
    const { body } = await app.call('GET', `${base}?limit=3`)
    assert.deepEqual(
      body.data.map(({ id, subject, snippet }: Record<string, string>) => [id, subject, snippet]),
      [
        ['AAMk-1=', LETTER.subject, 'Grüße à'],
        ['AAMk-2=', LETTER.subject, 'Grüße à'],
      ],
    )
  }
})
