import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { applicationId } from '../../src/contract/ids.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { REDIRECT, sdkPkce, startTokenApp, type TokenApp } from '../support/token-app.ts'

// What a browser may do from the pages of an application (contract/auth.md 4.6).

const MINE = 'https://spa.example'
const IDP = 'http://localhost:3000'
const OTHERS = 'https://other.example'
const NOBODYS = 'https://evil.example'

let app: TokenApp
let otherKey: string
let token: string
before(async () => {
  app = await startTokenApp()
  const js = (origin: string) => ({ url: `${origin}/cb`, platform: 'js', settings: { origin } })
  await app.call('POST', '/v3/applications/redirect-uris', js(MINE))
  await app.call('POST', '/v3/applications/redirect-uris', { url: 'https://web.example/cb', platform: 'web' })
  await app.call('PATCH', '/v3/applications', { idp_settings: { origins: `${IDP}, ftp://x.example *,null` } })
  const { services } = app.application
  const other = await services.applications.create({ name: 'Other' })
  otherKey = (await services.apiKeys.create(applicationId(other.id), { name: 'k' })).value
  await app.call('POST', '/v3/applications/redirect-uris', js(OTHERS), {
    authorization: `Bearer ${otherKey}`,
  })
  token = (await app.exchange(await app.code())).body.access_token
})
after(() => app.stop())

const PATHS = [
  '/v3/connect/token',
  '/v3/connect/tokeninfo?id_token=x',
  '/v3/connect/revoke',
  '/v3/grants/me',
  '/v3/grants/me/messages?limit=1',
  '//v3/grants//me/folders/a%2Fb',
]

async function preflight(path: string, origin: string) {
  const response = await fetch(app.url + path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}

const corsOf = (headers: Headers) =>
  [...headers.entries()].filter(([name]) => name.startsWith('access-control-')).map(([name]) => name)

test('answers the preflight of an origin that some application allows, on the library’s routes', async () => {
  for (const path of PATHS) {
    for (const origin of [MINE, IDP, OTHERS]) {
      const { status, headers, body } = await preflight(path, origin)
      assert.equal(status, 200, path)
      assert.deepEqual(body, { request_id: headers.get('x-request-id') })
      assert.equal(headers.get('access-control-allow-origin'), origin)
      assert.match(headers.get('access-control-allow-methods') ?? '', /\bPOST\b/)
      const allowed = headers.get('access-control-allow-headers')?.split(', ') ?? []
      // The last two are what @nylas/connect 1.2.5 sends.
      for (const name of [
        'Authorization',
        'Content-Type',
        'X-Nylas-Connect',
        'X-Nylas-Application-Public-Id',
      ]) {
        assert.ok(allowed.includes(name), name)
      }
      assert.equal(headers.get('access-control-allow-credentials'), null)
      assert.match(headers.get('vary') ?? '', /\bOrigin\b/)
      assert.equal(headers.get('content-type'), 'application/json')
    }
  }
})

test('lets no other origin through a preflight', async () => {
  for (const origin of [
    NOBODYS,
    'null',
    '*',
    `${MINE}.evil.example`,
    `${MINE}:444`,
    `${MINE}/`,
    MINE.toUpperCase(),
    MINE.replace('https', 'http'),
    'https://web.example',
    'ftp://x.example',
    '__proto__',
    'constructor',
  ]) {
    for (const path of PATHS) {
      const { status, headers } = await preflight(path, origin)
      assert.deepEqual([status >= 400, corsOf(headers)], [true, []], `${path} ${origin}`)
      assert.match(headers.get('vary') ?? '', /\bOrigin\b/)
    }
  }
})

test('every other route stays closed to browsers', async () => {
  for (const { method, url } of allRoutes()) {
    if (/^\/v3\/connect\/(token|tokeninfo|revoke)$/.test(url)) continue
    const path = url.replaceAll(/:[a-z_]+|\*/g, 'x')
    assert.deepEqual(corsOf((await preflight(path, MINE)).headers), [], url)
    const headers = { origin: MINE }
    const answer = await app.call(method, path, method === 'GET' ? undefined : {}, headers)
    assert.deepEqual(corsOf(answer.headers), [], `${method} ${url}`)
  }
  for (const path of ['/v3/grants/mexico', '/v3/grants/me.', '/v3/connect/token/', '/v3/connect/tokens']) {
    assert.deepEqual(corsOf((await preflight(path, MINE)).headers), [], path)
  }
})

const allowed = (answer: { readonly headers: Headers }) => answer.headers.get('access-control-allow-origin')

test('shows an answer to the pages of its application only', async () => {
  const { verifier, ...pkce } = sdkPkce()
  const exchange = async (origin: string, code: string) =>
    app.form(
      '/v3/connect/token',
      {
        client_id: app.clientId,
        redirect_uri: REDIRECT,
        code,
        grant_type: 'authorization_code',
        code_verifier: verifier,
      },
      { origin },
    )
  const good = await exchange(MINE, await app.code(pkce))
  assert.deepEqual([good.status, allowed(good)], [200, MINE])
  assert.match(good.headers.get('access-control-expose-headers') ?? '', /X-Request-Id/)
  const refused = await exchange(MINE, 'nonsense')
  assert.deepEqual([refused.status, allowed(refused)], [400, MINE])
  for (const origin of [OTHERS, NOBODYS]) {
    const hidden = await exchange(origin, await app.code(pkce))
    assert.deepEqual([hidden.status, corsOf(hidden.headers)], [200, []])
  }
  for (const path of ['/v3/grants/me', `/v3/connect/tokeninfo?access_token=${token}`]) {
    const call = (origin: string) =>
      app.call('GET', path, undefined, { authorization: `Bearer ${token}`, origin })
    assert.deepEqual([allowed(await call(MINE)), allowed(await call(IDP))], [MINE, IDP])
    assert.deepEqual([allowed(await call(OTHERS)), allowed(await call(NOBODYS))], [null, null])
  }
})

test('a refusal that is no application’s can be read by any known origin, so that an expired token shows', async () => {
  for (const path of ['/v3/grants/me', '/v3/connect/tokeninfo?access_token=gone']) {
    const headers = { authorization: 'Bearer gw_at_gone' }
    const answer = await app.call('GET', path, undefined, { ...headers, origin: MINE })
    assert.ok(answer.status >= 400)
    assert.equal(allowed(answer), MINE)
    assert.equal(allowed(await app.call('GET', path, undefined, { ...headers, origin: NOBODYS })), null)
  }
})

test('a new origin works within a second, a removed one ends within ten', async () => {
  const origin = 'https://late.example'
  assert.equal((await preflight('/v3/connect/token', origin)).status, 405)
  const uri = { url: `${origin}/cb`, platform: 'mobile', settings: { origin: `${origin}/` } }
  const made = await app.call('POST', '/v3/applications/redirect-uris', uri)
  assert.equal(made.status, 200, made.text)
  app.clock.advance(1_000)
  assert.equal((await preflight('/v3/connect/token', origin)).status, 200)
  await app.call('DELETE', `/v3/applications/redirect-uris/${made.body.data.id}`)
  app.clock.advance(10_000)
  assert.equal((await preflight('/v3/connect/token', origin)).status, 405)
})
