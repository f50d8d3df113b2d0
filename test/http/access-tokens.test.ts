import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { grantId, type GrantId } from '../../src/contract/ids.ts'
import { paramNames, type Route } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'

// Access tokens as bearers, on every route of the table: their own grant, and nothing else.

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'

let app: TokenApp
let sandbox: Sandbox
let ada: GrantId
let ben: GrantId
let token: string
let ids: { readonly [name: string]: string }
before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  app = await startTokenApp({ ...sandbox.endpoints })
  const settings = { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' }
  await app.call('POST', '/v3/connectors', { provider: 'google', settings })
  const connect = async (email: string) => {
    const refresh_token = sandbox.control.mintRefreshToken(email)
    const made = await app.call('POST', '/v3/connect/custom', {
      provider: 'google',
      settings: { refresh_token },
    })
    assert.equal(made.status, 201, made.text)
    return grantId(made.body.data.id)
  }
  ada = await connect(ADA)
  ben = await connect(BEN)
  token = (await app.exchange(await app.code({ grantId: ada }))).body.access_token
  const message = await app.call('GET', `/v3/grants/${ada}/messages?limit=1&has_attachment=true`)
  const [first] = message.body.data
  const make = async (path: string, body: object) => {
    const { status, text, body: made } = await app.call('POST', path, body)
    assert.ok(status < 300, text)
    return made.data
  }
  const mine = `/v3/grants/${ada}`
  const text = { name: 'Mine', subject: 'Hello', body: 'Hello' }
  const draft = await make(`${mine}/drafts`, { subject: 'Later' })
  const signature = await make(`${mine}/signatures`, text)
  const template = await make(`${mine}/templates`, text)
  const sendAt = Math.floor(app.clock.nowMs() / 1000) + 3600
  const scheduled = await make(`${mine}/messages/send`, { to: [{ email: BEN }], send_at: sendAt })
  const uri = await app.call('POST', '/v3/applications/redirect-uris', { url: 'https://a.example' })
  const creds = await app.call('GET', '/v3/connectors/google/creds')
  ids = {
    provider: 'google',
    message_id: first.id,
    thread_id: first.thread_id,
    attachment_id: first.attachments[0].id,
    draft_id: draft.id,
    signature_id: signature.id,
    template_id: template.id,
    schedule_id: scheduled.schedule_id,
    '*': 'INBOX',
    uri: uri.body.data.id,
    credential: creds.body.data[0].id,
    application: app.clientId,
  }
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

function pathOf(route: Route, grant: string): string {
  const owner = route.url.includes('/creds/')
    ? 'credential'
    : route.url.includes('-uris/')
      ? 'uri'
      : 'application'
  return paramNames(route.url).reduce(
    (path, name) => {
      const known = name === '*' && route.url.includes('/attachments/') ? 'attachment_id' : name
      const value = name === 'grant_id' ? grant : (ids[name === 'id' ? owner : known] ?? 'none')
      return path.replace(name === '*' ? '*' : `:${name}`, value)
    },
    route.url + (route.url.includes('/attachments/') ? `?message_id=${ids['message_id']}` : ''),
  )
}

const routes = allRoutes()
const grantRoutes = routes.filter(({ access }) => access.kind === 'grant' || access.kind === 'own-grant')
const keyRoutes = routes.filter(({ access }) => access.kind === 'application')

test('reads its own grant as me and by each other form, on every grant route', async () => {
  assert.ok(grantRoutes.length >= 4)
  // A download answers no JSON.
  const reading = grantRoutes.filter(({ method, url }) => method === 'GET' && !url.endsWith('/download'))
  for (const route of reading) {
    const byKey = await app.call('GET', pathOf(route, ada))
    assert.equal(byKey.status, 200, byKey.text)
    for (const form of [
      'me',
      ada,
      ada.toUpperCase(),
      `grant:${ada}`,
      ADA,
      `email:${ADA}`,
      'ADA%40sandbox.example',
    ]) {
      const answer = await app.as(token, 'GET', pathOf(route, form))
      assert.equal(answer.status, 200, `${route.url} ${form}: ${answer.text}`)
      assert.deepEqual(answer.body.data, byKey.body.data, `${route.url} ${form}`)
    }
  }
})

test('reaches no other grant, by any form, and is not told whether there is one', async () => {
  const nobody = '00000000-0000-4000-8000-000000000000'
  for (const route of grantRoutes) {
    for (const form of [
      ben,
      BEN,
      `email:${BEN}`,
      `grant:${ben}`,
      nobody,
      'no@b.example',
      'external:x',
      'ME',
    ]) {
      const answer = await app.as(
        token,
        route.method,
        pathOf(route, form),
        route.method === 'GET' ? undefined : {},
      )
      assert.equal(answer.status, 403, `${route.method} ${route.url} ${form}: ${answer.text}`)
      assert.deepEqual(answer.body, {
        request_id: answer.headers.get('x-request-id'),
        error: { type: 'grant.access_denied', message: 'The access token belongs to another grant.' },
      })
    }
  }
})

test('opens no route of the application, and changes and deletes no grant', async () => {
  assert.ok(keyRoutes.length >= 20)
  assert.ok(keyRoutes.some(({ method, url }) => `${method} ${url}` === 'DELETE /v3/grants/:grant_id'))
  for (const route of keyRoutes) {
    for (const form of ['me', ada]) {
      const body = route.method === 'GET' ? undefined : {}
      const answer = await app.as(token, route.method, pathOf(route, form), body)
      const at = `${route.method} ${route.url}: ${answer.text}`
      assert.equal(answer.status, 401, at)
      assert.deepEqual(answer.body.error, {
        type: 'token.unauthorized_access',
        message: 'This route needs an API key, not an access token.',
      })
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    }
  }
  assert.equal((await app.call('GET', `/v3/grants/${ada}`)).body.data.grant_status, 'valid')
})

test('me with an API key is refused on every grant route', async () => {
  for (const route of routes.filter(({ url }) => url.startsWith('/v3/grants/:grant_id'))) {
    const body = route.method === 'GET' ? undefined : { scope: [] }
    const answer = await app.call(route.method, pathOf(route, 'me'), body)
    assert.equal(answer.status, 401, `${route.method} ${route.url}`)
    assert.equal(answer.body.error.type, 'token.unauthorized_access')
  }
})

test('an invalid grant is told as such, and still readable as me', async () => {
  const grant = await app.newGrant('will-end@calendar.example')
  const own = (await app.exchange(await app.code({ grantId: grant }))).body.access_token
  const reason = { code: 'revoked', message: 'm', advice: 'a', at: 1 }
  await app.application.database.stores.grants.markInvalid(app.clientId, grant, reason)
  const me = await app.as(own, 'GET', '/v3/grants/me')
  assert.deepEqual([me.status, me.body.data.grant_status], [200, 'invalid'])
})

test('a token of a blocked application opens nothing', async () => {
  const { stores } = app.application.database
  const record = await stores.applications.find(app.clientId)
  assert.ok(record)
  await stores.applications.update({ ...record, blocked: true })
  try {
    const answer = await app.as(token, 'GET', '/v3/grants/me')
    assert.deepEqual([answer.status, answer.body.error.type], [423, 'api.resource_blocked'])
  } finally {
    await stores.applications.update(record)
  }
  assert.equal((await app.as(token, 'GET', '/v3/grants/me')).status, 200)
})

test('anything that only looks like an access token is refused', async () => {
  const [tail] = token.slice(-1)
  const variants = [token.slice(0, -1), `${token}A`, token.toUpperCase(), 'gw_at_', `gw_at_${'A'.repeat(43)}`]
  for (const wrong of [...variants, token.slice(0, -1) + (tail === 'A' ? 'B' : 'A')]) {
    const answer = await app.as(wrong, 'GET', '/v3/grants/me')
    assert.deepEqual([answer.status, answer.body.error.type], [401, 'token.unauthorized_access'], wrong)
  }
})
