import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { logKeeper } from '../support/log-keeper.ts'
import {
  chooseOf,
  CLIENT,
  context,
  FOR_SIGN_IN,
  GMAIL,
  type HostedWorld,
  parametersOf,
  redirectOf,
  sessionOf,
  startHostedWorld,
  stopOf,
  WITH_QUERY,
} from './hosted-world.ts'

const logs = logKeeper()
let world: HostedWorld
before(async () => {
  world = await startHostedWorld({}, { log: logs.log })
})
after(() => world.stop())

const stores = () => world.app.application.database.stores
const granted = (scope: readonly string[]) => [...FOR_SIGN_IN, ...scope].join(' ')
let users = 0
const newEmail = () => `user-${(users += 1)}@corp.example`

/** Trades a code of ours as an application does. */
async function exchange(code: string | undefined, redirect_uri = 'https://app.example/cb') {
  const form = { grant_type: 'authorization_code', client_id: world.clientId, code, redirect_uri }
  return world.app.call('POST', '/v3/connect/token', { ...form, client_secret: world.app.key })
}

async function newGrant(email = newEmail(), sub?: string) {
  const url = await world.connect({}, { email, ...(sub === undefined ? {} : { sub }) })
  const answer = await exchange(url.searchParams.get('code') ?? '')
  assert.equal(answer.status, 200, answer.text)
  return { email, id: String(answer.body.grant_id), token: answer.body }
}

test('makes a grant of a consent and sends the user home with a code that can be traded', async () => {
  const email = newEmail()
  const url = await world.connect(
    { redirect_uri: WITH_QUERY, state: 'app state', access_type: 'offline' },
    { email },
  )
  assert.ok(url.href.startsWith(`${WITH_QUERY}&code=`), url.href)
  assert.ok(url.href.endsWith('&state=app%20state'))
  const traded = await exchange(url.searchParams.get('code') ?? '', WITH_QUERY)
  assert.equal(traded.status, 200, traded.text)
  assert.equal(traded.body.email, email)
  assert.ok(traded.body.refresh_token)
  const { body } = await world.app.call('GET', `/v3/grants/${traded.body.grant_id}`)
  const { provider, grant_status, scope, ip, user_agent, state, provider_user_id } = body.data
  assert.deepEqual(
    { provider, grant_status, scope, ip, user_agent, state, provider_user_id },
    {
      provider: 'google',
      grant_status: 'valid',
      scope: [...FOR_SIGN_IN, GMAIL],
      ip: CLIENT.ip,
      user_agent: CLIENT.userAgent,
      state: 'app state',
      provider_user_id: `sub-${email}`,
    },
  )
  const [audited] = await stores().audit.list({ applicationId: null, actor: 'hosted' }, { limit: 1 })
  assert.equal(audited?.action, 'grant.created')
})

test('leaves the state out where the application gave none', async () => {
  const url = await world.connect({}, { email: newEmail() })
  assert.deepEqual(Object.keys(parametersOf(url)), ['code'])
})

test('gives one code for a callback, however often it comes', async () => {
  const started = await world.start({ provider: 'google' })
  const answer = world.provider.consent(redirectOf(started.step).href, { email: newEmail() })
  const before = world.provider.exchanges()
  const steps = await Promise.all([1, 2, 3, 4].map(() => world.callback(answer, started.session)))
  assert.equal(steps.filter(({ kind }) => kind === 'redirect').length, 1)
  assert.deepEqual(
    steps.filter((step) => step.kind === 'stop').map(stopOf),
    Array(3).fill('400 grant.login_id_invalid'),
  )
  assert.equal(stopOf(await world.callback(answer, started.session)), '400 grant.login_id_invalid')
  assert.equal(world.provider.exchanges() - before, 1)
  const shown = await world.hosted.show(sessionOf(started))
  assert.equal(stopOf(shown.step), '400 grant.login_id_invalid')
})

test('knows no forged state, no other browser and no session that is over', async () => {
  const started = await world.start({ provider: 'google' })
  const other = await world.start({ provider: 'google' })
  const answer = world.provider.consent(redirectOf(started.step).href, { email: newEmail() })
  const mine = sessionOf(started)
  for (const [query, session] of [
    [{ ...answer, state: 'forged' }, mine],
    [{ ...answer, state: '' }, mine],
    [{ ...answer, state: mine.id }, mine],
    [{ ...answer, state: 'x'.repeat(100_000) }, mine],
    [{ code: answer['code'] ?? '' }, mine],
    [{ error: 'access_denied' }, mine],
    [answer, other.session],
    [answer, null],
    [answer, { ...mine, browserSecret: '' }],
  ] as const) {
    assert.equal(stopOf(await world.callback(query, session)), '400 grant.login_id_invalid')
  }
  for (const step of [
    (await world.hosted.show({ ...mine, browserSecret: sessionOf(other).browserSecret })).step,
    (await world.hosted.choose({ id: randomUUID(), browserSecret: mine.browserSecret }, 'google')).step,
    (await world.hosted.cancel({ ...mine, browserSecret: '' })).step,
  ]) {
    assert.equal(stopOf(step), '400 grant.login_id_invalid')
  }
  assert.equal((await world.callback(answer, mine)).kind, 'redirect')
})

test('ends a session after ten minutes', async () => {
  const started = await world.start({ provider: 'google' })
  const answer = world.provider.consent(redirectOf(started.step).href, { email: newEmail() })
  world.app.clock.advance(600_001)
  assert.equal(stopOf(await world.callback(answer, started.session)), '400 grant.login_id_invalid')
})

test('takes a code of one provider at no session of another, and none but of its own trip', async () => {
  const google = await world.start({ provider: 'google' })
  const yahoo = await world.start(
    { provider: 'yahoo' },
    { ...CLIENT, browserSecret: sessionOf(google).browserSecret },
  )
  const ofYahoo = world.provider.consent(redirectOf(yahoo.step).href, { email: newEmail() })
  const mixed = { ...ofYahoo, state: redirectOf(google.step).searchParams.get('state') ?? '' }
  const answer = redirectOf(await world.callback(mixed, google.session))
  assert.equal(answer.searchParams.get('error'), 'token.exchange_failed')

  const victim = await world.start({ provider: 'google' })
  const attacker = await world.start({ provider: 'google' })
  const injected = world.provider.consent(redirectOf(attacker.step).href, { email: newEmail() })
  const state = redirectOf(victim.step).searchParams.get('state') ?? ''
  const refused = redirectOf(await world.callback({ ...injected, state }, victim.session))
  assert.equal(refused.searchParams.get('error'), 'token.exchange_failed')
})

test('tells the application that the user said no, and what else the provider said', async () => {
  for (const [query, error, description] of [
    [{ error: 'access_denied' }, 'access_denied', /did not give access/],
    [{ error: 'admin_policy_enforced', error_description: 'No\r\nway' }, 'admin_policy_enforced', /^No way$/],
    [{ error: '<script>', error_description: 'x'.repeat(9000) }, 'server_error', /^x{500}$/],
    [{}, 'server_error', /no code/],
    [{ code: 'x'.repeat(9000) }, 'server_error', /no code/],
  ] as const) {
    const started = await world.start({ provider: 'google', state: 's' })
    const state = redirectOf(started.step).searchParams.get('state') ?? ''
    const answer = parametersOf(redirectOf(await world.callback({ ...query, state }, started.session)))
    assert.equal(answer['error'], error)
    assert.match(answer['error_description'] ?? '', description)
    assert.equal(answer['state'], 's')
  }
})

test('lets the user give up, once', async () => {
  const { session } = await world.start({})
  assert.ok(session)
  const step = (await world.hosted.cancel(session)).step
  assert.equal(redirectOf(step).searchParams.get('error'), 'access_denied')
  assert.equal(stopOf((await world.hosted.cancel(session)).step), '400 grant.login_id_invalid')
})

test('lets the user choose, come back and choose again; only the last trip counts', async () => {
  const { session } = await world.start({ login_hint: 'ada@corp.example' })
  assert.ok(session)
  const choose = async (provider: string) => (await world.hosted.choose(session, provider)).step
  const first = redirectOf(await choose('google'))
  assert.equal(chooseOf((await world.hosted.show(session)).step).providers.length, 3)
  assert.equal(chooseOf(await choose('')).providers.length, 3)
  for (const provider of ['nobody', 'icloud', 'virtual-calendar', '__proto__']) {
    assert.equal(chooseOf(await choose(provider)).providers.length, 3)
  }
  const second = redirectOf(await choose('yahoo'))
  assert.equal(second.pathname, '/yahoo/authorize')
  const stale = world.provider.consent(first.href, { email: newEmail() })
  assert.equal(stopOf(await world.callback(stale, session)), '400 grant.login_id_invalid')
  const answer = world.provider.consent(second.href, { email: newEmail() })
  assert.ok(redirectOf(await world.callback(answer, session)).searchParams.get('code'))
})

test('goes straight on when it knows whose an address is, and else keeps the choice', async () => {
  const { session } = await world.start({ prompt: 'detect' })
  assert.ok(session)
  const detect = async (email: string) => (await world.hosted.detect(session, email, context())).step
  const failed = chooseOf(await detect('not an address'))
  assert.deepEqual(failed.panels, ['detect', 'providers'])
  assert.match(failed.error ?? '', /not an email address/)
  // The application has no icloud connector; an iCloud address is taken as one of any IMAP server then.
  assert.equal((await detect('ada@icloud.com')).kind, 'form')
  assert.match(chooseOf(await detect('ada@outlook.com')).error ?? '', /can’t tell/)
  const url = redirectOf(await detect(' ada@gmail.com '))
  assert.equal(url.pathname, '/google/authorize')
  assert.equal(url.searchParams.get('login_hint'), 'ada@gmail.com')
  const limited = await world.start({ provider: 'yahoo,imap', prompt: 'detect' })
  const step = (await world.hosted.detect(sessionOf(limited), 'ada@gmail.com', context())).step
  assert.equal(step.kind, 'form')
})

test('renews the grant of the same mailbox and keeps its id', async () => {
  const first = await newGrant()
  const again = await newGrant(first.email)
  assert.equal(again.id, first.id)
  const hinted = await world.connect({ login_hint: first.email.toUpperCase() }, { email: first.email })
  const traded = await exchange(hinted.searchParams.get('code') ?? '')
  assert.equal(traded.body.grant_id, first.id)
})

test('refuses another account where a grant is to be connected again, and leaves both as they are', async () => {
  const first = await newGrant()
  const other = newEmail()
  const url = await world.connect({ login_hint: first.email, state: 's' }, { email: other })
  assert.equal(url.searchParams.get('error'), 'grant.reauth_email_invalid')
  assert.equal(url.searchParams.get('error_code'), '400')
  assert.equal(url.searchParams.get('state'), 's')
  const list = await world.app.call('GET', `/v3/grants?email=${other}`)
  assert.deepEqual(list.body.data, [])
  const [audited] = await stores().audit.list({ applicationId: null, actor: 'hosted' }, { limit: 1 })
  assert.equal(audited?.action, 'grant.reauthentication_refused')
})

test('follows an account to its new address when that grant is connected again', async () => {
  const first = await newGrant(newEmail(), 'sub-renamed')
  const renamed = newEmail()
  const url = await world.connect({ login_hint: first.email }, { email: renamed, sub: 'sub-renamed' })
  const traded = await exchange(url.searchParams.get('code') ?? '')
  assert.deepEqual([traded.body.grant_id, traded.body.email], [first.id, renamed])
})

test('re-points no address to another account', async () => {
  const first = await newGrant(newEmail(), 'sub-of-the-owner')
  for (const query of [{}, { login_hint: first.email }]) {
    const url = await world.connect(query, { email: first.email, sub: 'sub-of-an-attacker' })
    assert.equal(url.searchParams.get('error'), 'grant.reauth_email_invalid')
  }
  const { body } = await world.app.call('GET', `/v3/grants/${first.id}`)
  assert.equal(body.data.provider_user_id, 'sub-of-the-owner')
})

test('refuses consent with a permission left out, and names it', async () => {
  const email = newEmail()
  const url = await world.connect({}, { email, scope: granted([]) })
  assert.equal(url.searchParams.get('error'), 'grant.scopes_conflict')
  assert.match(url.searchParams.get('error_description') ?? '', /gmail\.modify/)
  assert.deepEqual((await world.app.call('GET', `/v3/grants?email=${email}`)).body.data, [])
})

test('asks for the scopes of the grant too where the application wants that', async () => {
  const calendar = 'https://www.googleapis.com/auth/calendar'
  const email = newEmail()
  await world.connect({ scope: calendar }, { email })
  const asked = async (query: { readonly [name: string]: string }) => {
    const started = await world.start({ provider: 'google', login_hint: email, scope: GMAIL, ...query })
    const { searchParams } = redirectOf(started.step)
    const scopes = searchParams.get('scope')?.split(' ') ?? []
    return [scopes.includes(GMAIL), scopes.includes(calendar), searchParams.get('include_granted_scopes')]
  }
  assert.deepEqual(await asked({}), [true, false, null])
  assert.deepEqual(await asked({ include_grant_scopes: 'True' }), [true, true, 'true'])
  const excluding = { include_grant_scopes: 'true', options: 'exclude_google_granted_scopes' }
  assert.deepEqual(await asked(excluding), [true, true, null])
})

test('keeps the refresh token of a valid grant when the provider gives none', async () => {
  const first = await newGrant()
  const secret = async () => (await stores().secrets.find(first.id as never))?.version
  const before = await secret()
  const url = await world.connect({}, { email: first.email, refreshToken: false })
  assert.equal((await exchange(url.searchParams.get('code') ?? '')).body.grant_id, first.id)
  assert.equal(await secret(), before)
})

test('says why a new account without a refresh token can’t be connected', async () => {
  const url = await world.connect({}, { email: newEmail(), refreshToken: false })
  assert.equal(url.searchParams.get('error'), 'grant.invalid_authentication')
  assert.match(url.searchParams.get('error_description') ?? '', /no refresh token/)
})

test('takes the refresh token that a grant has already', async () => {
  const email = newEmail()
  const refreshToken = `rt-same-${randomUUID()}`
  const consent = { email, refreshToken }
  const first = await exchange(
    (await world.connect({ provider: 'yahoo' }, consent)).searchParams.get('code') ?? '',
  )
  const again = await exchange(
    (await world.connect({ provider: 'yahoo' }, consent)).searchParams.get('code') ?? '',
  )
  assert.equal(first.status, 200, first.text)
  assert.equal(again.body.grant_id, first.body.grant_id)
})

test('loses no refresh token when the account can’t be told: connect/custom finishes the work', async () => {
  const email = newEmail()
  const refreshToken = `rt-kept-${randomUUID()}`
  const before = world.provider.refreshes()
  world.provider.failNextUserinfo(503)
  const url = await world.connect({ state: 's' }, { email, refreshToken })
  assert.equal(url.searchParams.get('error'), 'server_error')
  const settings = { refresh_token: refreshToken }
  const made = await world.app.call('POST', '/v3/connect/custom', { provider: 'google', settings })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body.data.email, email)
  // The answer to the code was kept: nothing had to be asked again.
  assert.equal(world.provider.refreshes(), before)
})

test('tells the application when the provider fails, and makes nothing', async () => {
  const email = newEmail()
  world.provider.failNextToken(503)
  const url = await world.connect({}, { email })
  assert.equal(url.searchParams.get('error'), 'server_error')
  assert.deepEqual((await world.app.call('GET', `/v3/grants?email=${email}`)).body.data, [])
})

test('uses the credential that is named, and only for its own provider', async () => {
  const made = await world.app.call('POST', '/v3/connectors/google/creds', {
    name: 'other',
    credential_type: 'connector',
    credential_data: { client_id: 'other-client', client_secret: 'other-secret' },
  })
  const credential_id: string = made.body.data.id
  for (const query of [{}, { provider: 'google,imap' }]) {
    const url = redirectOf((await world.start({ ...query, credential_id })).step)
    assert.equal(url.searchParams.get('client_id'), 'other-client')
  }
  const refused = redirectOf((await world.start({ provider: 'yahoo', credential_id })).step)
  assert.equal(refused.searchParams.get('error'), 'invalid_request')
  const home = await world.connect({ credential_id }, { email: newEmail() })
  const traded = await exchange(home.searchParams.get('code') ?? '')
  const { body } = await world.app.call('GET', `/v3/grants/${traded.body.grant_id}`)
  assert.equal(body.data.credential_id, credential_id)
})

test('writes no secret of a sign-in to the log or the database', async () => {
  const started = await world.start({ provider: 'google' })
  const consent = { email: newEmail(), refreshToken: `rt-planted-${randomUUID()}` }
  const answer = world.provider.consent(redirectOf(started.step).href, consent)
  const home = redirectOf(await world.callback(answer, started.session))
  const secrets = [
    sessionOf(started).browserSecret,
    answer['state'] ?? '',
    answer['code'] ?? '',
    consent.refreshToken,
    home.searchParams.get('code') ?? '',
  ]
  assert.ok(secrets.every((secret) => secret.length > 20))
  const files = await logs.filesOf(world.app.dataDir)
  for (const secret of secrets) {
    assert.ok(!logs.text().includes(secret))
    assert.ok(files.every(({ bytes }) => !bytes.includes(secret)))
  }
})
