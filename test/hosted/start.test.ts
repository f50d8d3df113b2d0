import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  chooseOf,
  CLIENT,
  DEEP_LINK,
  formOf,
  GMAIL,
  type HostedWorld,
  parametersOf,
  type Query,
  REDIRECT,
  redirectOf,
  startHostedWorld,
  startOfWindow,
  stopOf,
  WITH_QUERY,
} from './hosted-world.ts'

let world: HostedWorld
before(async () => {
  world = await startHostedWorld()
})
after(() => world.stop())

const start = (query: Query) => world.start(query)
const refused = async (query: Query) => parametersOf(redirectOf((await start(query)).step))
const providersOf = async (query: Query) =>
  chooseOf((await start(query)).step).providers.map(({ provider }) => provider)

test('sends the user to the provider with a state and challenge of its own, and our callback', async () => {
  const { step, session } = await start({
    provider: 'google',
    state: 'app state',
    login_hint: 'ada@corp.example',
  })
  const url = redirectOf(step)
  assert.equal(url.pathname, '/google/authorize')
  const { state, code_challenge, ...rest } = parametersOf(url)
  assert.match(state ?? '', /^[\w-]{43}$/)
  assert.match(code_challenge ?? '', /^[\w-]{43}$/)
  assert.equal(rest['redirect_uri'], `${world.app.url}/v3/connect/callback`)
  assert.equal(rest['login_hint'], 'ada@corp.example')
  assert.ok(rest['scope']?.split(' ').includes(GMAIL))
  assert.ok(session && !url.href.includes(session.browserSecret) && !url.href.includes('app%20state'))
})

test('stops, and sends nobody anywhere, for an unknown client or an address that is not registered', async () => {
  for (const client_id of ['', 'nobody', 'x'.repeat(200), `${world.clientId}\0`]) {
    const { step, session, branding } = await start({ client_id })
    assert.equal(stopOf(step), '400 api.invalid_request_error')
    assert.deepEqual([session, branding], [null, null])
  }
  for (const redirect_uri of [
    '',
    'https://evil.example/cb',
    'https://app.example/cb/',
    'https://app.example/cb?x=1',
    'https://app.example/cb#x',
    'https://app.example/cb%00',
    'https://app.example/cb%0d%0aSet-Cookie:a=b',
    'https://app.example/cb\r\nSet-Cookie: a=b',
    ' https://app.example/cb',
    'https://app.example/cb ',
    'HTTPS://app.example/cb',
    'https://APP.example/cb',
    'https://app.example:443/cb',
    'https://app.example:8443/cb',
    'http://app.example/cb',
    'https://app.example/%63b',
    'https://app.example/x/../cb',
    'https://app.example//cb',
    'https://user@app.example/cb',
    'https://app.example@evil.example/cb',
    'https://app.example\\@evil.example/cb',
    'https://app.example.evil.example/cb',
    'https://app.example/cb.evil.example',
    '//app.example/cb',
    'javascript:alert(1)',
    'https://app.example/cb?tenant=a/b&x=1',
    'http://127.0.0.1:3001/web',
    'http://127.0.0.1:3000/desktop2',
    'http://127.0.0.1:3000/desktop?x=1',
    'http://127.0.0.1:@evil.example/desktop',
    'http://127.0.0.1:99999/desktop',
    'http://127.0.0.1:/desktop',
    'http://127.0.0.1.evil.example:3000/desktop',
    'http://localhost:3000/desktop',
    'http://[::1]:3000/desktop',
    'https://127.0.0.1:3000/desktop',
    'http://127.1:3000/desktop',
    'com.example.app://oauth/cb/x',
    'com.example.evil://oauth/cb',
    `https://app.example/cb${'x'.repeat(5000)}`,
  ]) {
    const { step, session } = await start({ redirect_uri, provider: 'google' })
    assert.equal(stopOf(step), '400 grant.callback_uri_not_allowed', redirect_uri)
    assert.equal(session, null)
  }
})

test('takes a desktop app on any port of its loopback address, and a deep link as registered', async () => {
  for (const redirect_uri of [
    'http://127.0.0.1:3000/desktop',
    'http://127.0.0.1:51234/desktop',
    'http://127.0.0.1/desktop',
    'http://[::1]:8123/six',
    DEEP_LINK,
    WITH_QUERY,
    REDIRECT,
  ]) {
    assert.equal((await start({ redirect_uri, provider: 'google' })).step.kind, 'redirect', redirect_uri)
  }
})

test('tells the application what is wrong with its parameters, keeps its query and its state', async () => {
  const { step } = await start({ redirect_uri: WITH_QUERY, response_type: 'token', state: 'a b&c=d\r\nX: y' })
  assert.equal(step.kind, 'redirect')
  const url = step.kind === 'redirect' ? step.url : ''
  assert.ok(url.startsWith(`${WITH_QUERY}&error=unsupported_response_type&`), url)
  assert.ok(url.endsWith('&state=a%20b%26c%3Dd%0D%0AX%3A%20y'), url)
  assert.doesNotMatch(url, /[\r\n +]/)
  assert.deepEqual(Object.keys(await refused({ response_type: '' })), [
    'error',
    'error_description',
    'error_code',
    'error_uri',
  ])
})

test('names the parameter that is wrong', async () => {
  const cases: readonly [Query, string, RegExp][] = [
    [{ response_type: '' }, 'invalid_request', /response_type/],
    [{ provider: 'nylas' }, 'invalid_request', /provider/],
    [{ provider: 'google,nobody' }, 'invalid_request', /provider/],
    [{ provider: 'virtual-calendar' }, 'invalid_request', /virtual-calendar/],
    [{ provider: 'google,virtual-calendar' }, 'invalid_request', /virtual-calendar/],
    [{ provider: 'ews' }, 'invalid_request', /ews/],
    [{ provider: 'zoom' }, 'connector.not_found', /zoom/],
    [{ scope: 'a"b' }, 'invalid_scope', /scope/],
    [{ scope: 'a '.repeat(6000) }, 'invalid_scope', /scope/],
    [{ access_type: 'forever' }, 'invalid_request', /access_type/],
    [{ state: 'x'.repeat(257) }, 'invalid_request', /state/],
    [{ state: 'a\0b' }, 'invalid_request', /state/],
    [{ login_hint: 'x'.repeat(400) }, 'invalid_request', /login_hint/],
    [{ login_hint: 'a@b.example\r\nX: y' }, 'invalid_request', /login_hint/],
    [{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S512' }, 'invalid_request', /code_challenge/],
    [{ code_challenge_method: 'S256' }, 'invalid_request', /code_challenge/],
    [{ code_challenge: 'x'.repeat(300) }, 'invalid_request', /code_challenge/],
    [{ credential_id: 'nobody' }, 'invalid_request', /credential_id/],
    [{ options: 'x'.repeat(1000) }, 'invalid_request', /options/],
  ]
  for (const [query, error, description] of cases) {
    const answer = await refused({ provider: 'google', ...query })
    assert.equal(answer['error'], error, JSON.stringify(query))
    assert.match(answer['error_description'] ?? '', description)
    assert.equal(answer['error_code'], '400')
  }
})

test('takes what the SDKs send', async () => {
  const cases: readonly Query[] = [
    { scope: `openid+${GMAIL}` },
    { scope: `openid ${GMAIL}`, access_type: 'offline', include_grant_scopes: 'True' },
    { code_challenge: 'N2Q3'.repeat(21), code_challenge_method: 's256' },
    { smtp_required: 'true', metadata: 'legacy', unheard_of: 'x'.repeat(5000) },
    { options: 'smtp_required,exclude_google_granted_scopes', prompt: 'consent' },
    { provider: ' Google ', credential_id: '' },
  ]
  for (const query of cases) {
    const { step } = await start({ provider: 'google', ...query })
    assert.equal(redirectOf(step).pathname, '/google/authorize', JSON.stringify(query))
  }
  const scope = redirectOf((await start({ provider: 'google', scope: 'a+b c' })).step).searchParams.get(
    'scope',
  )
  assert.deepEqual(
    scope?.split(' ').slice(-3),
    ['a', 'b', 'c'].map((name) => `https://www.googleapis.com/auth/${name}`),
  )
})

test('lets the user choose among the providers with a connector, restricted to the list', async () => {
  assert.deepEqual(await providersOf({}), ['google', 'yahoo', 'imap'])
  assert.deepEqual(await providersOf({ provider: 'imap,google' }), ['imap', 'google'])
  assert.deepEqual(await providersOf({ provider: 'imap,icloud,microsoft' }), ['imap'])
  const panelsOf = async (prompt: string) => chooseOf((await start({ prompt })).step).panels
  assert.deepEqual(await panelsOf('select_provider'), ['providers'])
  assert.deepEqual(await panelsOf('detect'), ['detect'])
  assert.deepEqual(await panelsOf('select_provider,detect'), ['providers', 'detect'])
  assert.deepEqual(await panelsOf('detect,select_provider'), ['detect', 'providers'])
  assert.equal(chooseOf((await start({ login_hint: 'a@b.example' })).step).loginHint, 'a@b.example')
})

test('shows the form of a provider whose credentials are typed, with the address filled in', async () => {
  const form = formOf((await start({ provider: 'imap', login_hint: 'ada@corp.example' })).step)
  assert.equal(form.canGoBack, false)
  const shown = form.fields.filter(({ advanced }) => !advanced).map(({ name, value }) => [name, value])
  assert.deepEqual(shown, [
    ['imap_username', 'ada@corp.example'],
    ['imap_password', ''],
  ])
})

test('limits how many sessions one network may open', async () => {
  startOfWindow(world.app.clock)
  const client = { ...CLIENT, ip: '2001:db8:1:2::1' }
  for (let index = 0; index < 120; index += 1) await world.start({ client_id: 'nobody' }, client)
  const { step } = await world.start({ provider: 'google' }, { ...client, ip: '2001:db8:1:2:ffff::9' })
  assert.equal(stopOf(step), '429 api.rate_limit_error')
  assert.equal(
    (await world.start({ provider: 'google' }, { ...client, ip: '2001:db8:1:3::1' })).step.kind,
    'redirect',
  )
})

test('shares the secret of the browser among its sessions, and makes a new one of anything else', async () => {
  const first = (await start({ provider: 'google' })).session
  const second = (
    await world.start({ provider: 'google' }, { ...CLIENT, browserSecret: first?.browserSecret ?? null })
  ).session
  assert.equal(second?.browserSecret, first?.browserSecret)
  assert.notEqual(second?.id, first?.id)
  const third = (await world.start({ provider: 'google' }, { ...CLIENT, browserSecret: 'guessable' })).session
  assert.match(third?.browserSecret ?? '', /^[\w-]{43}$/)
})

test('shows the application’s branding, and nothing of it that could do harm', async () => {
  await world.app.call('PATCH', '/v3/applications', {
    branding: { name: 'Acme\u0007 Mail', icon_url: 'https://acme.example/i.png' },
    hosted_authentication: {
      title: 'Connect',
      alignment: 'right',
      color_primary: '#AbC',
      color_secondary: 'red;background:url(https://evil.example)',
      background_color: '#12345',
      background_image_url: "https://acme.example/a'b.png",
      spacing: 5000,
      terms_of_service_url: 'javascript:alert(1)',
      privacy_policy_url: 'http://acme.example/privacy',
    },
  })
  assert.deepEqual((await start({})).branding, {
    name: 'Acme  Mail',
    title: 'Connect',
    subtitle: '',
    iconUrl: 'https://acme.example/i.png',
    alignment: 'right',
    colorPrimary: '#abc',
    colorSecondary: null,
    backgroundColor: null,
    backgroundImageUrl: null,
    spacing: 100,
    termsOfServiceUrl: null,
    privacyPolicyUrl: null,
  })
})
