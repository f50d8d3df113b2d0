// The whole server over the fakes of Microsoft and Zoom: what a client sees.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeGraph, startFakeGraph } from '../support/fake-graph/start-fake-graph.ts'
import { aadsts, FAKE_CLIENT } from '../support/fake-graph/token-endpoint.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

let graph: FakeGraph
let zoom: FakeZoom
let app: GrantwayApp

before(async () => {
  graph = await startFakeGraph()
  zoom = await startFakeZoom()
  app = await startGrantway({
    GRANTWAY_MICROSOFT_TOKEN_URL: graph.endpoints.tokenUrl,
    GRANTWAY_MICROSOFT_GRAPH_URL: graph.url,
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
  })
  const connectors = [
    {
      provider: 'microsoft',
      settings: {
        client_id: FAKE_CLIENT.clientId,
        client_secret: FAKE_CLIENT.clientSecret,
        tenant: 'contoso.example',
      },
      scope: ['https://graph.microsoft.com/Mail.Read', 'User.Read'],
    },
    {
      provider: 'zoom',
      settings: { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret },
    },
    { provider: 'virtual-calendar' },
  ]
  for (const connector of connectors) {
    const { status, text } = await app.call('POST', '/v3/connectors', connector)
    assert.equal(status, 201, text)
  }
})
after(async () => {
  await app.stop()
  await graph.stop()
  await zoom.stop()
  assert.deepEqual(graph.violations, [])
})

const connect = (provider: string, settings: object) =>
  app.call('POST', '/v3/connect/custom', { provider, settings })

test('a refresh token becomes a grant, and its mail is there, page by page', async () => {
  const made = await connect('microsoft', { refresh_token: graph.tokens.mint('ada@contoso.example') })
  assert.equal(made.status, 201, made.text)
  assert.deepEqual(made.body.data.scope, ['Mail.Read', 'User.Read'])
  assert.equal(made.body.data.email, 'ada@contoso.example')
  const messages = `/v3/grants/${made.body.data.id}/messages`
  const ids: string[] = []
  let token: string | undefined
  do {
    const page = await app.call(
      'GET',
      `${messages}?limit=30${token === undefined ? '' : `&page_token=${token}`}`,
    )
    assert.equal(page.status, 200, page.text)
    ids.push(...page.body.data.map(({ id }: { id: string }) => id))
    token = page.body.next_cursor
  } while (token !== undefined)
  assert.equal(new Set(ids).size, 72)
  const one = await app.call('GET', `${messages}/${encodeURIComponent(ids[3]!)}`)
  assert.equal(one.body.data.subject, 'Déjà vu: 予定を確認')
  const folders = await app.call('GET', `/v3/grants/${made.body.data.id}/folders`)
  assert.equal(folders.body.data.length, 9)
  const named = await app.call('GET', `${messages}?in=inbox`)
  assert.deepEqual([named.status, named.body.error.type], [400, 'api.invalid_request_error'])
  const aliases = await app.call('GET', `/v3/grants/${made.body.data.id}?expose_aliases=true`)
  assert.deepEqual(aliases.body.data.email_aliases, ['alias.ada@contoso.example'])
})

test('a dead refresh token is refused with Microsoft’s own number', async () => {
  const body = aadsts('invalid_grant', 700082, 'The refresh token has expired due to inactivity.')
  graph.tokens.failNext(400, body)
  const refused = await connect('microsoft', { refresh_token: graph.tokens.mint('bob@contoso.example') })
  assert.deepEqual([refused.status, refused.body.error.type], [401, 'grant.refresh_token_invalid'])
  assert.deepEqual(refused.body.error.provider_error.error_codes, [700082])
})

test('an admin consent becomes a grant of a mailbox', async () => {
  const credential = await app.call('POST', '/v3/connectors/microsoft/creds', {
    name: 'Contoso',
    credential_type: 'adminconsent',
    credential_data: { tenant: 'contoso.example' },
  })
  assert.equal(credential.status, 201, credential.text)
  const settings = { email_address: 'bob@contoso.example', credential_id: credential.body.data.id }
  const made = await connect('microsoft', settings)
  assert.equal(made.status, 201, made.text)
  const page = await app.call('GET', `/v3/grants/${made.body.data.id}/messages`)
  assert.equal(page.body.data.length, 1, page.text)
  const from = graph.seen.length
  await app.call('GET', `/v3/grants/${made.body.data.id}/folders`)
  assert.ok(graph.seen.slice(from).every(({ path }) => path.startsWith('/users/bob') || path === '/$batch'))
})

test('a zoom token is spent once, whatever is posted again', async () => {
  const token = zoom.mint('ada@zoom.example')
  const first = await connect('zoom', { refresh_token: token })
  assert.equal(first.status, 201, first.text)
  const again = await connect('zoom', { refresh_token: token })
  assert.deepEqual([again.status, again.body.data?.id], [201, first.body.data.id], again.text)
  const mail = await app.call('GET', `/v3/grants/${first.body.data.id}/messages`)
  assert.equal(mail.status, 400)
})

test('a virtual calendar is made without asking anybody, and found again by its name', async () => {
  const made = await connect('virtual-calendar', { email: 'Room 4' })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body.data.email, 'Room 4')
  assert.equal((await connect('virtual-calendar', { email: 'room 4' })).body.data.id, made.body.data.id)
})

test('detects by the table of domains, for connectors there are', async () => {
  const detect = (query: string) => app.call('POST', `/v3/providers/detect?${query}`)
  const found = await detect('email=ada%40outlook.com')
  assert.deepEqual(found.body.data, {
    email_address: 'ada@outlook.com',
    detected: true,
    provider: 'microsoft',
  })
  assert.equal((await detect('email=ada%40gmail.com')).body.data.detected, false)
  const all = await detect('email=ada%40gmail.com&all_provider_types=True')
  assert.equal(all.body.data.provider, 'google')
})
