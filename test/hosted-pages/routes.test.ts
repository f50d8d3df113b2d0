// The routes of hosted authentication: cookies, forms, redirects, who is let in, and what never leaks.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { randomIds } from '../../src/kit/ids.ts'
import { appError } from '../../src/contract/errors.ts'
import { startHttpApp } from '../support/http-app.ts'
import { logKeeper } from '../support/log-keeper.ts'
import { type HostedApp, startHostedApp } from './hosted-client.ts'
import { assertGoodPage, readPage } from './page-reader.ts'
import { CHOOSE, OVER, PLAIN, stubHosted } from './stub-hosted.ts'

const JSON_ONLY = { accept: 'application/json' }
const HOME = { kind: 'redirect', url: 'https://app.example/cb?x=1&code=c0de&state=s' } as const
const PROVIDER = { kind: 'redirect', url: 'https://accounts.example/auth?state=n0nce' } as const

let hosted: HostedApp
before(async () => {
  hosted = await startHostedApp()
})
beforeEach(() => {
  hosted.stub.step = CHOOSE
  hosted.stub.branding = PLAIN
  hosted.stub.before = () => Promise.resolve()
  hosted.stub.asked.length = 0
})
after(() => hosted.close())

const asked = () => hosted.stub.asked.map(({ method }) => method)
const lastAsked = () => hosted.stub.asked.at(-1)?.with ?? []

test('a session gets a cookie of 32 random bytes that scripts and other sites do not see', async () => {
  const answer = await hosted.browser().get('/v3/connect/auth?client_id=x')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const [line = ''] = answer.headers.getSetCookie()
  assert.match(line, /^gw=[A-Za-z0-9_-]{43}; Path=\/v3\/connect; HttpOnly; SameSite=Lax$/)
  const secure = await startHostedApp('https://mail.example')
  try {
    const [hostLine = ''] = (await secure.browser().get('/v3/connect/auth')).headers.getSetCookie()
    assert.match(hostLine, /^__Host-gw=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/)
  } finally {
    await secure.close()
  }
})

test('all sessions of a browser share its cookie; a cookie that is not ours is none', async () => {
  const browser = hosted.browser()
  await browser.open()
  const first = browser.cookie
  await browser.open()
  assert.equal(browser.cookie, first)
  for (const bad of [
    'gw=',
    'gw=short',
    `gw=${'x'.repeat(44)}`,
    `gw="${'x'.repeat(43)}"`,
    `xgw=${'x'.repeat(43)}`,
  ]) {
    hosted.stub.asked.length = 0
    const other = hosted.browser()
    other.cookie = bad
    await other.get('/v3/connect/auth')
    assert.deepEqual((lastAsked()[1] as { browserSecret: unknown }).browserSecret, null, bad)
  }
})

test('behind an address with a path, everything stays below it', async () => {
  const below = await startHostedApp('http://mail.example/gw/')
  try {
    const answer = await below.browser().get('/v3/connect/auth')
    assert.match(answer.headers.get('location') ?? '', /^\/gw\/v3\/connect\/login\//)
    assert.match(answer.headers.getSetCookie()[0] ?? '', /; Path=\/gw\/v3\/connect;/)
  } finally {
    await below.close()
  }
})

test('of a repeated parameter the first value that is not empty counts', async () => {
  await hosted
    .browser()
    .get('/v3/connect/auth?client_id=&client_id=a&client_id=b&scope=x+y%20z&__proto__=p&e=')
  const [query] = lastAsked() as [Record<string, string>]
  assert.deepEqual(Object.entries(query), [
    ['client_id', 'a'],
    ['scope', 'x y z'],
    ['__proto__', 'p'],
    ['e', ''],
  ])
})

test('parameters that are too long or too many stop it', async () => {
  const paths = [
    `/v3/connect/auth?state=${'x'.repeat(8193)}`,
    `/v3/connect/callback?state=${'x'.repeat(8193)}`,
    `/v3/connect/auth?${'a=1&'.repeat(101)}`,
    `/v3/connect/auth?${'n'.repeat(8193)}=1`,
  ]
  for (const path of paths) {
    const page = await readPage(await hosted.browser().get(path))
    assert.equal(page.status, 400)
    assertGoodPage(page, path.slice(0, 40))
  }
  assert.deepEqual(asked(), [])
})

test('a GET that leads away redirects at once: to the provider, and home', async () => {
  hosted.stub.step = PROVIDER
  const there = await hosted.browser().get('/v3/connect/auth?client_id=x')
  assert.deepEqual([there.status, there.headers.get('location')], [302, PROVIDER.url])
  assert.equal(there.headers.getSetCookie().length, 1)
  hosted.stub.step = HOME
  const browser = hosted.browser()
  browser.cookie = `gw=${randomIds.token(32)}`
  const home = await browser.get('/v3/connect/callback?code=p&state=n0nce')
  assert.deepEqual([home.status, home.headers.get('location')], [302, HOME.url])
  assert.equal(home.headers.get('referrer-policy'), 'same-origin')
  assert.deepEqual(lastAsked().slice(0, 2), [{ code: 'p', state: 'n0nce' }, browser.cookie.slice(3)])
})

test('a callback without a cookie is asked about as such', async () => {
  hosted.stub.step = OVER
  const page = await readPage(await hosted.browser().get('/v3/connect/callback?state=x'))
  assert.equal(page.status, 400)
  assertGoodPage(page, 'callback stop')
  assert.equal(lastAsked()[1], null)
})

test('a redirect is never one that runs, and holds no letter that a header may not', async () => {
  for (const url of [
    'javascript:alert(1)',
    ' JavaScript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
  ]) {
    hosted.stub.step = { kind: 'redirect', url }
    const page = await readPage(await hosted.browser().get('/v3/connect/auth'))
    assert.equal(page.status, 500)
    assert.ok(!page.html.includes('alert(1)'))
    assertGoodPage(page, url)
  }
  hosted.stub.step = { kind: 'redirect', url: 'https://app.example/ü\r\nx?a="b"' }
  const answer = await hosted.browser().get('/v3/connect/auth')
  assert.equal(answer.headers.get('location'), 'https://app.example/%c3%bc%0d%0ax?a="b"')
  hosted.stub.step = { kind: 'redirect', url: 'com.acme.app://cb?code=1' }
  const app = await hosted.browser().get('/v3/connect/auth')
  assert.equal(app.headers.get('location'), 'com.acme.app://cb?code=1')
})

test('a session is nothing to another browser, nor to one without its cookie', async () => {
  const mine = hosted.browser()
  const { path, token } = await mine.open()
  const others = [hosted.browser(), hosted.browser()]
  others[0]!.cookie = `gw=${randomIds.token(32)}`
  for (const browser of others) {
    const page = await readPage(await browser.get(path))
    assert.equal(page.status, 400)
    assertGoodPage(page, 'of another')
    assert.ok(!page.html.includes('Acme'))
    hosted.stub.asked.length = 0
    assert.ok([400, 403].includes((await browser.post(`${path}/cancel`, { csrf: token })).status))
    assert.deepEqual(asked(), [])
  }
  // A token is of one session: that of another of the same browser won't do.
  const second = await mine.open()
  assert.equal((await mine.post(`${path}/provider`, { csrf: second.token })).status, 403)
})

test('ids that can be no session are not looked for', async () => {
  const browser = hosted.browser()
  await browser.open()
  hosted.stub.asked.length = 0
  for (const id of ['%00', 'a%2Fb', 'x'.repeat(65), '%3Cscript%3E', '..%2F..']) {
    const page = await readPage(await browser.get(`/v3/connect/login/${id}`))
    assert.equal(page.status, 400, id)
    assert.ok(!page.html.includes('<script'))
  }
  assert.deepEqual(asked(), [])
})

test('who takes no pages gets the envelope', async () => {
  hosted.stub.step = OVER
  for (const accept of [
    'application/json',
    'application/json, text/plain, */*',
    'text/html;q=0, application/json',
  ]) {
    const answer = await hosted.browser().get('/v3/connect/callback?state=x', { accept })
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [400, 'application/json'])
    const body = (await answer.json()) as { request_id: string }
    assert.deepEqual(body, {
      request_id: answer.headers.get('x-request-id'),
      error: { type: 'grant.login_id_invalid', message: OVER.kind === 'stop' ? OVER.message : '' },
    })
  }
  for (const accept of ['*/*', 'text/html', 'text/*;q=0.1', 'application/json, text/html']) {
    const answer = await hosted.browser().get('/v3/connect/callback?state=x', { accept })
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8', accept)
  }
  hosted.stub.step = CHOOSE
  const browser = hosted.browser()
  const { path, token } = await browser.open()
  assert.equal((await browser.get(path, JSON_ONLY)).status, 406)
  hosted.stub.step = HOME
  const home = await browser.post(`${path}/cancel`, { csrf: token }, JSON_ONLY)
  assert.deepEqual([home.status, home.headers.get('location')], [303, HOME.url])
})

test('only a look (HEAD) starts nothing and spends nothing; other methods are refused', async () => {
  const browser = hosted.browser()
  const { path } = await browser.open()
  hosted.stub.asked.length = 0
  const send = async (method: string, at: string) => {
    const answer = await fetch(hosted.app.url + at, { method, headers: { cookie: browser.cookie ?? '' } })
    return [answer.status, answer.headers.get('allow')]
  }
  for (const at of ['/v3/connect/auth?client_id=x', '/v3/connect/callback?code=c&state=s']) {
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE'])
      assert.deepEqual(await send(method, at), [405, 'GET'])
  }
  assert.deepEqual(asked(), [])
  assert.deepEqual(await send('HEAD', path), [200, null])
  assert.deepEqual(await send('DELETE', path), [405, 'GET, HEAD'])
  assert.deepEqual(await send('PUT', `${path}/form`), [405, 'POST, GET'])
})

test('a fault is a page that tells nothing of it, and is logged without code, state or cookie', async () => {
  const stub = stubHosted()
  const keeper = logKeeper()
  const app = await startHttpApp({ services: { hosted: stub.service }, http: { logger: keeper.log } })
  try {
    const secret = randomIds.token(32)
    const get = (path: string, accept = 'text/html') =>
      fetch(app.url + path, { headers: { accept, cookie: `gw=${secret}` }, redirect: 'manual' })
    stub.before = () => Promise.reject(new Error('the insides'))
    const page = await readPage(await get('/v3/connect/callback?code=c0de-canary&state=state-canary'))
    assert.equal(page.status, 500)
    assertGoodPage(page, 'fault')
    assert.ok(!page.html.includes('insides'))
    assert.equal((await get('/v3/connect/callback?code=c0de-canary', 'application/json')).status, 500)
    stub.before = () => Promise.reject(appError('api.unavailable', undefined, { retryAfterSeconds: 2 }))
    const busy = await get('/v3/connect/auth?state=state-canary')
    assert.deepEqual([busy.status, busy.headers.get('retry-after')], [503, '2'])
    stub.before = () => Promise.resolve()
    stub.step = { kind: 'redirect', url: 'https://app.example/cb?code=c0de-canary&state=state-canary' }
    await get('/v3/connect/callback?code=c0de-canary&state=state-canary')
  } finally {
    await app.close()
  }
  const text = keeper.text()
  assert.ok(text.includes('the insides') && text.includes('/v3/connect/callback'))
  for (const canary of ['c0de-canary', 'state-canary', 'gw=']) assert.ok(!text.includes(canary), canary)
})
