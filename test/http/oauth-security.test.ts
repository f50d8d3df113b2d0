import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { REDIRECT, startTokenApp, type TokenApp } from '../support/token-app.ts'

// Requirements of RFC 9700 (docs/security/rfc9700.md) that are no other file's topic, on the composed server.

let app: TokenApp
let accessToken: string
before(async () => {
  app = await startTokenApp()
  await app.call('POST', '/v3/applications/redirect-uris', { url: REDIRECT })
  await app.call('POST', '/v3/connectors', { provider: 'imap' })
  accessToken = (await app.exchange(await app.code())).body.access_token
})
after(() => app.stop())

const authorize = (query: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(
    `${app.url}/v3/connect/auth?${new URLSearchParams({
      client_id: app.clientId,
      redirect_uri: REDIRECT,
      response_type: 'code',
      ...query,
    }).toString()}`,
    { redirect: 'manual', headers: { accept: 'text/html', ...headers } },
  )

test('gives no token and no code in the browser for any other response type', async () => {
  for (const responseType of ['token', 'id_token', 'code token', 'code id_token', 'none']) {
    const answer = await authorize({ response_type: responseType, state: 's' })
    const to = new URL(answer.headers.get('location') ?? '')
    assert.equal(answer.status, 302)
    assert.equal(to.origin + to.pathname + to.hash, REDIRECT)
    assert.deepEqual([...to.searchParams.keys()].toSorted(), [
      'error',
      'error_code',
      'error_description',
      'error_uri',
      'state',
    ])
  }
})

test('takes a token from the Authorization header only, never from the address or a form', async () => {
  assert.equal((await app.as(accessToken, 'GET', '/v3/grants/me')).status, 200)
  const query = new URLSearchParams({
    access_token: accessToken,
    token: accessToken,
    api_key: app.key,
  }).toString()
  for (const path of ['/v3/grants/me', `/v3/grants/${app.grantId}/folders`, '/v3/grants', '/v3/connectors']) {
    const answer = await fetch(`${app.url}${path}?${query}`)
    assert.equal(answer.status, 401, path)
  }
  const form = await app.form('/v3/connectors', query)
  assert.equal(form.status, 401)
})

test('the pages a user signs in on are closed to the scripts of other pages', async () => {
  const origin = new URL(REDIRECT).origin
  const uris = await app.call('POST', '/v3/applications/redirect-uris', {
    url: `${origin}/js`,
    platform: 'js',
    settings: { origin },
  })
  assert.equal(uris.status, 200, uris.text)
  const preflight = { origin, 'access-control-request-method': 'GET' }
  for (const path of ['/v3/connect/auth', '/v3/connect/callback', '/v3/connect/login/x']) {
    const asked = await fetch(app.url + path, { method: 'OPTIONS', headers: preflight })
    const got = await fetch(app.url + path, { headers: { origin, accept: 'text/html' }, redirect: 'manual' })
    for (const { headers } of [asked, got]) {
      assert.deepEqual(
        [...headers.keys()].filter((name) => name.startsWith('access-control-')),
        [],
        path,
      )
    }
  }
})

test('no page of a sign-in can be put into a frame, runs a script or names another site', async () => {
  for (const query of [{}, { client_id: 'nobody' }, { redirect_uri: 'https://evil.example' }]) {
    let answer = await authorize(query)
    const cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
    const next = answer.headers.get('location')
    if (next?.startsWith('/'))
      answer = await fetch(app.url + next, { headers: { accept: 'text/html', cookie } })
    const html = await answer.text()
    const policy = answer.headers.get('content-security-policy') ?? ''
    assert.match(html, /^<!doctype html>/i)
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.ok(!/script-src|unsafe/.test(policy))
    assert.equal(answer.headers.get('x-frame-options'), 'DENY')
    assert.equal(answer.headers.get('referrer-policy'), 'same-origin')
    assert.ok(!/<script|https?:\/\//.test(html), html)
  }
})
