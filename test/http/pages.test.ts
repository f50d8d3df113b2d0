import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Secret } from '../../src/kit/secret.ts'
import { startHttpApp } from '../support/http-app.ts'

test('serves a start page without script, framing or loading anything', async () => {
  const app = await startHttpApp({ http: { publicUrl: 'https://mail.example/<x>' } })
  try {
    for (const path of ['/', '/console']) {
      const answer = await fetch(app.url + path)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
      const html = await answer.text()
      for (const link of ['/openapi.json', '/healthz', '/readyz']) assert.ok(html.includes(`href="${link}"`))
      assert.ok(html.includes('https://mail.example/&lt;x&gt;'))
      const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? ''
      const hash = createHash('sha256').update(style).digest('base64')
      assert.equal(
        answer.headers.get('content-security-policy'),
        `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      )
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.equal((await fetch(app.url + path, { method: 'HEAD' })).status, 200)
      const wrong = await app.call('POST', path, {})
      assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD'])
    }
  } finally {
    await app.close()
  }
})

test('shows metrics to the holder of their token only', async () => {
  const metrics = {
    token: new Secret('metrics-token'),
    contentType: 'text/plain; version=0.0.4',
    render: () => Promise.resolve('up 1\n'),
  }
  const app = await startHttpApp({ http: { metrics } })
  const without = await startHttpApp()
  try {
    const good = await app.call('GET', '/metrics', undefined, { authorization: 'Bearer metrics-token' })
    assert.deepEqual([good.status, good.text], [200, 'up 1\n'])
    assert.equal(good.headers.get('content-type'), 'text/plain; version=0.0.4')
    for (const authorization of ['', 'Bearer metrics-toke', `Bearer ${app.key}`]) {
      const refused = await app.call('GET', '/metrics', undefined, { authorization })
      assert.deepEqual([refused.status, refused.body.error.type], [404, 'api.not_found_error'])
    }
    assert.equal((await without.call('GET', '/metrics')).status, 404)
  } finally {
    await app.close()
    await without.close()
  }
})

test('tells each answered request by route pattern, never by path', async () => {
  const seen: object[] = []
  const metrics = {
    contentType: 'text/plain',
    render: () => Promise.resolve(''),
    observe: ({ durationMs: _durationMs, ...request }: { durationMs: number }) => void seen.push(request),
  }
  const app = await startHttpApp({ http: { metrics } })
  try {
    await app.call('GET', '/v3/grants/ada@example.com')
    await app.call('GET', '/v3/nope/ada@example.com')
  } finally {
    await app.close()
  }
  assert.deepEqual(seen, [
    { method: 'GET', route: '/v3/grants/:grant_id', status: 404 },
    { method: 'GET', route: 'unknown', status: 404 },
  ])
})

test('is ready only while the database answers', async () => {
  let state: 'ready' | 'unready' | 'down' = 'unready'
  const readiness = () =>
    state === 'down' ? Promise.reject(new Error('secret host')) : Promise.resolve(state === 'ready')
  const app = await startHttpApp({ http: { readiness } })
  try {
    for (const bad of ['unready', 'down'] as const) {
      state = bad
      const answer = await fetch(`${app.url}/readyz`)
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.ok(!(await answer.text()).includes('secret host'))
    }
    state = 'ready'
    const answer = await fetch(`${app.url}/readyz`)
    assert.equal(answer.status, 200)
    assert.equal((await fetch(`${app.url}/healthz`)).status, 200)
  } finally {
    await app.close()
  }
})
