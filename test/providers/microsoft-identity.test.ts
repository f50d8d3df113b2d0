import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { AppError } from '../../src/kit/app-error.ts'
import { checkShape } from '../../src/kit/shape.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { Secret } from '../../src/kit/secret.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
import { aadsts } from '../support/fake-graph/token-endpoint.ts'
import { clientWith, type MicrosoftWorld, startMicrosoftWorld } from '../support/fake-graph/world.ts'

let world: MicrosoftWorld
const { signal } = new AbortController()
const ALL = ['Mail.Read', 'User.Read', 'openid', 'profile', 'email', 'offline_access']

before(async () => {
  world = await startMicrosoftWorld()
})
beforeEach(() => {
  world.graph.tokens.consented.clear()
  for (const scope of ALL) world.graph.tokens.consented.add(scope)
})
afterEach(() => world.graph.intercept(null))
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
})

const refreshSecret = (address = 'ada@contoso.example') => ({
  kind: 'refresh-token' as const,
  refreshToken: new Secret(world.graph.tokens.mint(address)),
})
const exchange = (
  options: {
    scope?: readonly string[]
    tenant?: string
    secret?: ReturnType<typeof refreshSecret>
    wrong?: string
  } = {},
) =>
  world.microsoft.identity.exchange({
    client: clientWith({
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      ...(options.wrong === undefined ? {} : { secret: options.wrong }),
    }),
    secret: options.secret ?? refreshSecret(),
    scope: options.scope ?? [],
    signal,
  })
const lastCalls = (count: number) => world.graph.tokens.calls.slice(-count)

test('every refresh gives a new refresh token, and the old one works on', async () => {
  const secret = refreshSecret()
  const first = await exchange({ secret })
  const again = await exchange({ secret })
  assert.ok(first.refreshToken && again.refreshToken)
  assert.notEqual(first.refreshToken.open(), secret.refreshToken.open())
  assert.notEqual(first.refreshToken.open(), again.refreshToken.open())
})

test('always sends a scope: the known ones in full, or everything that was consented to', async () => {
  const tokens = await exchange({
    scope: [
      'Mail.Read',
      'https://graph.microsoft.com/User.Read',
      'openid',
      'https://outlook.office.com/SMTP.Send',
    ],
    tenant: 'contoso.example',
  })
  const [known] = lastCalls(1)
  assert.equal(known?.tenant, 'contoso.example')
  assert.equal(
    known?.form.get('scope'),
    'https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read openid offline_access',
  )
  assert.deepEqual(tokens.scope, ['Mail.Read', 'User.Read', 'openid'])
  await exchange()
  const [unknown] = lastCalls(1)
  assert.equal(unknown?.tenant, 'common')
  assert.equal(unknown?.form.get('scope'), 'https://graph.microsoft.com/.default offline_access')
})

test('scopes that nobody consented to do not kill the token: it is tried for what there is', async () => {
  const tokens = await exchange({ scope: ['Mail.ReadWrite', 'Calendars.Read'] })
  assert.deepEqual(tokens.scope?.includes('Mail.Read'), true)
  assert.deepEqual(
    lastCalls(2).map(({ form }) => form.get('scope')),
    [
      'https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Calendars.Read offline_access',
      'https://graph.microsoft.com/.default offline_access',
    ],
  )
})

test('a withdrawn consent is the end of the grant', async () => {
  world.graph.tokens.failNext(400, aadsts('invalid_grant', 65001, 'No consent.'))
  world.graph.tokens.failNext(400, aadsts('invalid_grant', 65001, 'No consent.'))
  await assert.rejects(exchange({ scope: ['Mail.Read'] }), fails('grant-revoked'))
})

test('a wrong client secret says nothing about the user', async () => {
  await assert.rejects(
    exchange({ wrong: 'nonsense' }),
    fails('client-misconfigured', ({ details, message }) => {
      assert.equal(details.providerCode, 'AADSTS7000215')
      assert.doesNotMatch(JSON.stringify(details) + message, /nonsense|refresh-/)
    }),
  )
})

test('refuses a tenant that would change the address of the token endpoint', async () => {
  const calls = world.graph.tokens.calls.length
  for (const tenant of ['a/b', '../x', 'a?b', 'a#b', '', ' ', 'a@b', '.x', '%2e']) {
    await assert.rejects(exchange({ tenant }), fails('client-misconfigured'), tenant)
    const { settings } = world.microsoft.connector
    const shape = checkShape(settings, { client_id: 'a', client_secret: 'b', tenant }, 'settings')
    assert.equal(shape.ok, false, tenant)
  }
  assert.equal(world.graph.tokens.calls.length, calls)
})

async function identify(address = 'ada@contoso.example', scope: readonly string[] = []) {
  const secret = refreshSecret(address)
  const tokens = await exchange({ secret, scope })
  return world.microsoft.identity.identify({
    client: clientWith(),
    secret,
    tokens,
    publicSettings: {},
    signal,
  })
}

test('names the account by Graph', async () => {
  const { user } = world.graph.mailboxes.get('ada@contoso.example')!
  assert.deepEqual(await identify('ada@contoso.example', ['Mail.Read', 'User.Read']), {
    email: 'ada@contoso.example',
    identityKey: user.id,
    providerUserId: user.id,
    name: 'ada',
    scope: ['Mail.Read', 'User.Read'],
    publicSettings: {},
  })
})

test('a guest is known by her own address, not by her name as a guest', async () => {
  const box = world.graph.mailboxes.get('bob@contoso.example')!
  const as = async (user: Partial<typeof box.user>) => {
    world.graph.mailboxes.set('guest@contoso.example', { ...box, user: { ...box.user, ...user } })
    return (await identify('guest@contoso.example', ['User.Read'])).email
  }
  const userPrincipalName = 'zoe_m_partner.example#EXT#@contoso.onmicrosoft.com'
  assert.equal(
    await as({ mail: null, userPrincipalName, otherMails: ['zoe@home.example'] }),
    'zoe@home.example',
  )
  assert.equal(await as({ mail: null, userPrincipalName, otherMails: [] }), 'zoe_m@partner.example')
  assert.equal(await as({ mail: 'z@partner.example', userPrincipalName }), 'z@partner.example')
  assert.equal(
    await as({ mail: null, userPrincipalName: 'live.com#zoe@outlook.example' }),
    'zoe@outlook.example',
  )
})

test('without User.Read the id token names the account', async () => {
  world.graph.intercept(() => graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges'))
  const account = await identify()
  assert.deepEqual(
    [account.email, account.identityKey, account.name],
    ['ada@contoso.example', '33333333-0000-0000-0000-000000000001', 'From the id token'],
  )
  await assert.rejects(
    identify('ada@contoso.example', ['Mail.Read']),
    fails('access-refused', ({ details }) => assert.match(details.advice ?? '', /User\.Read/)),
  )
})

test('a failing Graph is no refusal: the client may try again', async () => {
  world.graph.intercept(() => graphError(503, 'serviceNotAvailable', 'no'))
  await assert.rejects(identify(), fails('unavailable'))
})

const app = (emailAddress: string, tenant?: string) => {
  const secret = { kind: 'impersonation' as const, emailAddress, scopes: [] }
  const client = clientWith({ credentialType: 'adminconsent', ...(tenant === undefined ? {} : { tenant }) })
  return { secret, client }
}

async function identifyMailbox(address: string) {
  const { secret, client } = app(address, 'contoso.example')
  const tokens = await world.microsoft.identity.exchange({ client, secret, scope: [], signal })
  assert.equal(tokens.refreshToken, undefined)
  return world.microsoft.identity.identify({
    client,
    secret,
    tokens,
    publicSettings: { email_address: address },
    signal,
  })
}

test('app permissions: the mailbox is found by its address', async () => {
  const account = await identifyMailbox('bob@contoso.example')
  assert.equal(account.identityKey, world.graph.mailboxes.get('bob@contoso.example')!.user.id)
  assert.deepEqual(account.publicSettings, { email_address: 'bob@contoso.example' })
  await assert.rejects(identifyMailbox('nobody@contoso.example'), fails('not-found'))
})

test('app permissions without the right to read users: the inbox must answer', async () => {
  world.graph.intercept(({ path }) =>
    path.startsWith('/users/bob%40contoso.example?')
      ? graphError(403, 'Authorization_RequestDenied', 'no')
      : undefined,
  )
  const account = await identifyMailbox('bob@contoso.example')
  assert.deepEqual([account.email, account.identityKey], ['bob@contoso.example', null])
  world.graph.intercept(() => graphError(403, 'ErrorAccessDenied', 'no'))
  await assert.rejects(identifyMailbox('bob@contoso.example'), fails('scope-missing'))
})

test('app permissions need the tenant of an organization', async () => {
  for (const tenant of [undefined, 'common', 'Organizations', 'consumers']) {
    const { secret, client } = app('bob@contoso.example', tenant)
    await assert.rejects(
      world.microsoft.identity.exchange({ client, secret, scope: [], signal }),
      fails('client-misconfigured'),
      tenant,
    )
  }
})

test('aliases are the other SMTP addresses; where they may not be read there are none', async () => {
  assert.deepEqual(await world.microsoft.identity.aliases(world.session()), ['alias.ada@contoso.example'])
  world.graph.intercept(() => graphError(403, 'Authorization_RequestDenied', 'no'))
  assert.deepEqual(await world.microsoft.identity.aliases(world.session()), [])
})

test('reads both variants of settings and names the field that is wrong', () => {
  const readSettings = (settings: Record<string, unknown>) => world.microsoft.identity.readSettings(settings)
  assert.deepEqual(readSettings({ refresh_token: ' t ', credential_id: 'c' }).credentialId, 'c')
  const bulk = readSettings({ email_address: 'bob@contoso.example', credential_id: 'c' })
  assert.deepEqual(bulk, {
    secret: { kind: 'impersonation', emailAddress: 'bob@contoso.example', scopes: [] },
    credentialId: 'c',
    credentialType: 'adminconsent',
    publicSettings: { email_address: 'bob@contoso.example' },
  })
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [{}, /settings\.refresh_token is required/],
    [{ refresh_token: 7 }, /settings\.refresh_token must be a string/],
    [{ email_address: 'nobody' }, /settings\.email_address must be an email address/],
  ]
  for (const [settings, message] of cases) {
    assert.throws(
      () => readSettings(settings),
      (error) => error instanceof AppError && error.status === 400 && message.test(error.message),
    )
  }
})

test('scopes are stored short, whatever they were written like', () => {
  const normalizeScope = (scope: string) => world.microsoft.connector.normalizeScope?.(scope)
  assert.equal(normalizeScope('https://graph.microsoft.com/Mail.Read'), 'Mail.Read')
  assert.equal(normalizeScope('HTTPS://Graph.Microsoft.com/Mail.Read'), 'Mail.Read')
  assert.equal(normalizeScope(' OpenID '), 'openid')
  assert.equal(normalizeScope('https://outlook.office.com/SMTP.Send'), 'https://outlook.office.com/SMTP.Send')
})
