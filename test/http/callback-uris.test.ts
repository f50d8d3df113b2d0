import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startHttpApp, type HttpApp } from '../support/http-app.ts'

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())

const URIS = '/v3/applications/redirect-uris'

test('creates, reads, changes and deletes, under both addresses', async () => {
  for (const base of [URIS, '/v3/applications/callback-uris']) {
    const created = await app.call('POST', base, { url: 'https://acme.example/cb' })
    assert.equal(created.status, 200)
    const { id } = created.body.data
    assert.deepEqual(created.body.data, { id, url: 'https://acme.example/cb', platform: 'web' })
    assert.deepEqual((await app.call('GET', `${base}/${id}`)).body.data, created.body.data)
    assert.deepEqual((await app.call('GET', base)).body.data, [created.body.data])
    for (const method of ['PATCH', 'PUT']) {
      const changed = await app.call(method, `${base}/${id}`, { platform: 'desktop', settings: {} })
      assert.deepEqual(changed.body.data, { ...created.body.data, platform: 'desktop' })
    }
    const deleted = await app.call('DELETE', `${base}/${id}`)
    assert.deepEqual(Object.keys(deleted.body), ['request_id'])
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      const gone = await app.call(method, `${base}/${id}`, method === 'PATCH' ? {} : undefined)
      assert.deepEqual([gone.status, gone.body.error.type], [404, 'api.not_found_error'])
    }
  }
})

const IOS = { bundle_id: 'com.acme' }
const ANDROID = { package_name: 'com.acme', sha1_certificate_fingerprint: 'AA:BB' }

const ACCEPTED: readonly (readonly [body: object, platform: string, settings?: object])[] = [
  [{ url: 'https://acme.example' }, 'web'],
  [{ url: 'https://acme.example:8443/a/b/', platform: 'web', settings: {} }, 'web'],
  [{ url: 'http://localhost:3000/cb' }, 'web'],
  [{ url: 'http://127.0.0.1/cb', platform: 'desktop' }, 'desktop'],
  [
    { url: 'https://js.example/cb', platform: 'mobile', settings: { origin: 'https://js.example/' } },
    'js',
    { origin: 'https://js.example' },
  ],
  [{ url: 'com.acme.app://auth/cb', platform: 'ios', settings: { ...IOS, extra: 1 } }, 'ios', IOS],
  [{ url: 'acme://auth', platform: 'android', settings: ANDROID }, 'android', ANDROID],
  [
    {
      url: 'https://and.example',
      platform: 'android',
      settings: { package_name: 'com.acme', sha_1_certificate_fingerprint: 'CC' },
    },
    'android',
    { package_name: 'com.acme', sha1_certificate_fingerprint: 'CC' },
  ],
]
for (const [body, platform, settings] of ACCEPTED) {
  test(`accepts ${JSON.stringify(body)}`, async () => {
    const answer = await app.call('POST', URIS, body)
    assert.equal(answer.status, 200, answer.text)
    const { id, url, ...rest } = answer.body.data
    assert.equal(url, (body as { url: string }).url)
    assert.deepEqual(rest, settings ? { platform, settings } : { platform })
    await app.call('DELETE', `${URIS}/${id}`)
  })
}

const REFUSED: readonly (readonly [body: object, message: RegExp])[] = [
  [{}, /^url is required/],
  [{ url: 7 }, /^url /],
  [{ url: 'acme.example/cb' }, /absolute URL/],
  [{ url: 'http://acme.example/cb' }, /must be https/],
  [{ url: 'http://localhost.evil.example/cb' }, /must be https/],
  [{ url: 'https://user:pw@acme.example/cb' }, /user information/],
  [{ url: 'https://acme.example/cb#x' }, /fragment/],
  [{ url: 'https://acme.example/cb?' }, /query/],
  [{ url: 'https://acme.example/cb?a=1' }, /query/],
  [{ url: 'https://acme.example\\@evil.example' }, /backslashes/],
  [{ url: ' https://acme.example' }, /spaces/],
  [{ url: 'acme://auth' }, /deep links are for/],
  [{ url: 'javascript://x/%0aalert(1)', platform: 'ios', settings: IOS }, /deep link/],
  [{ url: 'mailto:a@b.example', platform: 'ios', settings: IOS }, /deep link/],
  [{ url: 'https://acme.example', platform: 'tv' }, /^platform must be one of/],
  [{ url: 'https://acme.example', platform: 'js' }, /^settings\.origin is required/],
  [
    { url: 'https://acme.example', platform: 'js', settings: { origin: 'https://a.example/p' } },
    /origin must be/,
  ],
  [{ url: 'https://acme.example', platform: 'ios' }, /^settings\.bundle_id is required/],
  [{ url: 'https://acme.example', platform: 'android', settings: { package_name: 'x' } }, /sha1_certificate/],
]
for (const [body, message] of REFUSED) {
  test(`refuses ${JSON.stringify(body)}`, async () => {
    const answer = await app.call('POST', URIS, body)
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.body.error.type, 'api.invalid_request_error')
    assert.match(answer.body.error.message, message)
  })
}

test('has each URL once, byte for byte', async () => {
  const first = await app.call('POST', URIS, { url: 'https://once.example/cb' })
  const again = await app.call('POST', URIS, { url: 'https://once.example/cb' })
  assert.deepEqual([again.status, again.body.error.message], [400, 'url is registered already'])
  const slash = await app.call('POST', URIS, { url: 'https://once.example/cb/' })
  assert.equal(slash.status, 200)
  const moved = await app.call('PATCH', `${URIS}/${slash.body.data.id}`, { url: 'https://once.example/cb' })
  assert.equal(moved.status, 400)
  const foreign = await app.call('GET', `${URIS}/${first.body.data.id}`, undefined, {
    authorization: `Bearer ${app.otherKey}`,
  })
  assert.equal(foreign.status, 404)
})

test('takes a query string once the application allows it', async () => {
  const body = { url: 'https://query.example/cb?a=1' }
  assert.equal((await app.call('POST', URIS, body)).status, 400)
  await app.call('PATCH', '/v3/applications', {
    additional_settings: { allow_query_param_in_redirect_uri: true },
  })
  assert.equal((await app.call('POST', URIS, body)).status, 200)
})
