// The challenge of a webhook destination, against receivers that answer it in all the wrong ways.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { type HttpApp, startHttpApp } from '../support/http-app.ts'

type Handler = (challenge: string, response: ServerResponse, request: IncomingMessage) => void

const ALL = '/v3/webhooks'
const right: Handler = (challenge, response) => response.end(challenge)

let app: HttpApp
let server: Server
let url: string
let answer: Handler = right
let challenged: { readonly method?: string; readonly url?: string; readonly headers: object }[] = []
before(async () => {
  app = await startHttpApp()
  server = createServer((request, response) => {
    const { method, url: path, headers } = request
    challenged.push({ ...(method ? { method } : {}), ...(path ? { url: path } : {}), headers })
    answer(new URL(path ?? '/', url).searchParams.get('challenge') ?? '', response, request)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  answer = right
  challenged = []
})
after(async () => {
  await app.close()
  server.closeAllConnections()
  server.close()
})

const create = (webhook_url: string) =>
  app.call('POST', ALL, { trigger_types: ['grant.created'], webhook_url })

async function destination(status?: 'failing' | 'failed' | 'pause'): Promise<string> {
  const { id } = (await create(`${url}/hook`)).body.data
  if (status) await app.database.stores.webhooks.changeStatus(id, 'active', status, 1)
  challenged = []
  return id
}

/** Holds the next challenge back. @returns when it has come, what answers it */
function heldChallenge(): Promise<() => void> {
  return new Promise((resolve) => {
    answer = (challenge, response) => resolve(() => response.end(challenge))
  })
}

test('asks once, by GET, unsigned, with a new value in the query that is there', async () => {
  for (const [path, pattern] of [
    ['/hook', /^\/hook\?challenge=([A-Za-z0-9_-]{32})$/],
    ['/hook?tenant=a%20b', /^\/hook\?tenant=a%20b&challenge=([A-Za-z0-9_-]{32})$/],
  ] as const) {
    challenged = []
    assert.equal((await create(url + path)).status, 200)
    assert.deepEqual(
      challenged.map(({ method }) => method),
      ['GET'],
    )
    const [asked] = challenged
    assert.match(asked?.url ?? '', pattern)
    assert.ok(!('x-nylas-signature' in (asked?.headers ?? {})))
  }
})

const WRONG: readonly (readonly [name: string, handler: Handler, message: RegExp])[] = [
  ['another body', (_challenge, response) => response.end('ok'), /its body is not exactly the challenge$/],
  ['no body', (_challenge, response) => response.end(), /its body is not exactly the challenge$/],
  [
    'a line break behind it',
    (challenge, response) => response.end(`${challenge}\n`),
    /not exactly the challenge$/,
  ],
  [
    'it in JSON',
    (challenge, response) => response.end(JSON.stringify(challenge)),
    /not exactly the challenge$/,
  ],
  [
    'status 500',
    (challenge, response) => response.writeHead(500).end(challenge),
    /with status 500, not 200$/,
  ],
  [
    'status 201',
    (challenge, response) => response.writeHead(201).end(challenge),
    /with status 201, not 200$/,
  ],
  ['status 204', (_challenge, response) => response.writeHead(204).end(), /with status 204, not 200$/],
  [
    'a redirect to the right answer',
    (challenge, response, request) =>
      request.url?.startsWith('/right')
        ? response.end(challenge)
        : response.writeHead(302, { location: `${url}/right?challenge=${challenge}` }).end(),
    /with status 302, not 200$/,
  ],
  ['a long body', (challenge, response) => response.end(challenge + 'x'.repeat(5_000)), /over 4096 bytes$/],
  [
    'a broken connection',
    (_challenge, response) => response.destroy(),
    /connection to 127\.0\.0\.1:\d+ broke/,
  ],
  ['a secret of its own', (_challenge, response) => response.writeHead(403).end('inside'), /^(?!.*inside)/],
]
for (const [name, handler, message] of WRONG) {
  test(`creates nothing when the challenge is answered with ${name}`, async () => {
    answer = handler
    const before = (await app.call('GET', ALL)).body.data
    const refused = await create(`${url}/hook`)
    assert.equal(refused.status, 400, refused.text)
    assert.equal(refused.body.error.type, '70005')
    assert.match(refused.body.error.message, /^unable\.verify\.webhook_url: /)
    assert.match(refused.body.error.message, message)
    assert.deepEqual((await app.call('GET', ALL)).body.data, before)
    assert.equal(challenged.length, 1)
  })
}

test('waits only so long for the whole answer', async () => {
  const hasty = await startHttpApp({ webhooks: { challengeTimeoutMs: 50 } })
  try {
    const handlers: readonly Handler[] = [
      () => {},
      (challenge, response) => response.writeHead(200, { 'content-length': 40 }).write(challenge),
    ]
    for (const handler of handlers) {
      answer = handler
      const body = { trigger_types: ['grant.created'], webhook_url: `${url}/hook` }
      const refused = await hasty.call('POST', ALL, body)
      assert.deepEqual(
        [refused.status, refused.body.error],
        [400, { type: '70005', message: 'unable.verify.webhook_url: no answer within 0.05 s' }],
      )
    }
    assert.deepEqual((await hasty.call('GET', ALL)).body.data, [])
  } finally {
    await hasty.close()
  }
})

test('reaches no private address without an allowance', async () => {
  const strict = await startHttpApp({ allowedNetworks: [] })
  try {
    for (const target of [
      `${url}/hook`,
      url.replace('http:', 'https:'),
      url.replace('127.0.0.1', 'localhost'),
    ]) {
      const refused = await strict.call('POST', ALL, {
        trigger_types: ['grant.created'],
        webhook_url: target,
      })
      assert.deepEqual([refused.status, refused.body.error.type], [400, '70005'], target)
    }
    const test = await strict.call('POST', `${ALL}/send-test-event`, { webhook_url: `${url}/hook` })
    assert.deepEqual([test.status, test.body.error.type], [400, '70005'])
    assert.deepEqual(challenged, [])
  } finally {
    await strict.close()
  }
})

for (const status of ['pause', 'failing', 'failed'] as const) {
  test(`challenges an activation from ${status} before it is saved`, async () => {
    const id = await destination(status)
    answer = (_challenge, response) => response.writeHead(500).end()
    const refused = await app.call('PUT', `${ALL}/${id}`, { status: 'active', description: 'x' })
    assert.deepEqual([refused.status, refused.body.error.type], [400, '70005'])
    const { data } = (await app.call('GET', `${ALL}/${id}`)).body
    assert.deepEqual([data.status, data.description], [status, ''])
    answer = right
    const active = await app.call('PUT', `${ALL}/${id}`, { status: 'active' })
    assert.equal(active.body.data.status, 'active')
    assert.equal(challenged.length, 2)
  })
}

test('challenges a new address before it is saved, and the new one only', async () => {
  const id = await destination()
  answer = (challenge, response, request) =>
    request.url?.startsWith('/bad') ? response.writeHead(404).end() : response.end(challenge)
  const refused = await app.call('PUT', `${ALL}/${id}`, { webhook_url: `${url}/bad` })
  assert.match(refused.body.error.message, /with status 404, not 200$/)
  const moved = await app.call('PUT', `${ALL}/${id}`, { webhook_url: `${url}/good` })
  assert.equal(moved.body.data.webhook_url, `${url}/good`)
  assert.deepEqual(
    challenged.map((asked) => asked.url?.split('?')[0]),
    ['/bad', '/good'],
  )
})

test('asks nothing for any other change', async () => {
  const id = await destination()
  for (const body of [
    { description: 'x' },
    { webhook_url: `${url}/hook` },
    { status: 'active' },
    { status: 'pause', trigger_types: ['grant.expired'], compressed_delivery: true },
  ]) {
    assert.equal((await app.call('PUT', `${ALL}/${id}`, body)).status, 200)
  }
  assert.deepEqual(challenged, [])
})

test('loses nothing that happens to the destination during the challenge', async () => {
  const id = await destination()
  const { webhooks } = app.database.stores
  const arrived = heldChallenge()
  const moving = app.call('PUT', `${ALL}/${id}`, { webhook_url: `${url}/moved` })
  const goOn = await arrived
  await app.call('POST', `${ALL}/rotate-secret/${id}`)
  await app.call('PUT', `${ALL}/${id}`, { description: 'meanwhile' })
  await webhooks.changeStatus(id, 'active', 'failing', 7)
  const [during] = await webhooks.findMany([id])
  goOn()
  assert.equal((await moving).status, 200)
  const [after] = await webhooks.findMany([id])
  assert.ok(during && after)
  assert.deepEqual(after, { ...during, url: `${url}/moved`, updatedAt: after.updatedAt })
  assert.deepEqual([after.description, after.status], ['meanwhile', 'failing'])
})

test('says 404 when the destination is deleted during the challenge', async () => {
  const id = await destination()
  const arrived = heldChallenge()
  const moving = app.call('PUT', `${ALL}/${id}`, { webhook_url: `${url}/moved` })
  const goOn = await arrived
  await app.call('DELETE', `${ALL}/${id}`)
  goOn()
  assert.equal((await moving).status, 404)
})
