import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GrantSecret } from '../../src/core/ports/identity.ts'
import type { JsonObject } from '../../src/kit/json.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { type GoogleWorld, SANDBOX_CLIENT, startGoogleWorld } from '../support/sandbox.ts'

let world: GoogleWorld
const { signal } = new AbortController()

before(async () => {
  world = await startGoogleWorld()
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
})

const fails =
  (kind: ProviderErrorKind, more: (error: ProviderError) => void = () => {}) =>
  (error: unknown) => {
    assert.ok(error instanceof ProviderError, String(error))
    assert.equal(error.kind, kind)
    more(error)
    return true
  }

const refreshSecret = (token: string): GrantSecret => ({
  kind: 'refresh-token',
  refreshToken: new Secret(token),
})
const exchange = (secret: GrantSecret, client = SANDBOX_CLIENT) =>
  world.google.identity.exchange!({ client, secret, scope: [], signal })

test('names the account from the id token, else userinfo, else the Gmail profile', async () => {
  const { control } = world.sandbox
  const auth = 'https://www.googleapis.com/auth/'
  const cases: [string[], object, string[]][] = [
    [
      ['openid', `${auth}userinfo.email`, `${auth}userinfo.profile`],
      { email: 'ada@sandbox.example', name: 'Ada Moreau', identityKey: '110000000000000000001' },
      [],
    ],
    [
      [`${auth}userinfo.email`],
      { email: 'ada@sandbox.example', name: undefined, identityKey: '110000000000000000001' },
      ['/v1/userinfo'],
    ],
    [
      [`${auth}gmail.readonly`],
      { email: 'ada@sandbox.example', name: undefined, identityKey: null },
      ['/v1/userinfo', '/gmail/v1/users/me/profile'],
    ],
  ]
  for (const [scope, expected, paths] of cases) {
    const secret = refreshSecret(control.mintRefreshToken('ada@sandbox.example', scope))
    const tokens = await exchange(secret)
    const from = world.validator.seen.length
    const account = await world.google.identity.identify({
      client: SANDBOX_CLIENT,
      secret,
      tokens,
      publicSettings: {},
      signal,
    })
    assert.deepEqual({ email: account.email, name: account.name, identityKey: account.identityKey }, expected)
    assert.deepEqual(
      world.validator.seen.slice(from).map(({ url }) => new URL(url).pathname),
      paths,
    )
    assert.deepEqual(account.scope, scope)
  }
  const secret = refreshSecret(control.mintRefreshToken('ada@sandbox.example', [`${auth}calendar`]))
  const tokens = await exchange(secret)
  await assert.rejects(
    world.google.identity.identify({ client: SANDBOX_CLIENT, secret, tokens, publicSettings: {}, signal }),
    fails('access-refused', (error) => assert.match(error.message, /could not be learned/)),
  )
})

test('a service account acts for a mailbox; a wrong key is the connector’s fault', async () => {
  const key = world.sandbox.control.serviceAccountKey()
  const data = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, new Secret(value)]))
  const client = { ...SANDBOX_CLIENT, credentialType: 'serviceaccount' as const, data }
  const secret: GrantSecret = {
    kind: 'impersonation',
    emailAddress: 'kim@workspace.sandbox.example',
    scopes: ['https://www.googleapis.com/auth/gmail.readonly'],
  }
  const tokens = await exchange(secret, client)
  assert.equal(tokens.refreshToken, undefined)
  assert.deepEqual(tokens.scope, secret.scopes)
  const account = await world.google.identity.identify({ client, secret, tokens, publicSettings: {}, signal })
  assert.equal(account.email, 'kim@workspace.sandbox.example')
  await assert.rejects(
    exchange({ ...secret, emailAddress: 'nobody@x.example' }, client),
    fails('grant-revoked'),
  )
  const broken = {
    ...client,
    data: {
      ...data,
      private_key: new Secret('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'),
    },
  }
  await assert.rejects(exchange(secret, broken), fails('client-misconfigured'))
})

test('a revoked token is grant-revoked, a wrong client secret is not', async () => {
  const token = world.sandbox.control.mintRefreshToken('ada@sandbox.example')
  await assert.rejects(
    exchange(refreshSecret(token), { ...SANDBOX_CLIENT, clientSecret: new Secret('wrong') }),
    fails('client-misconfigured'),
  )
  await exchange(refreshSecret(token))
  await world.google.identity.revoke!({ client: SANDBOX_CLIENT, secret: refreshSecret(token), signal })
  await world.google.identity.revoke!({ client: SANDBOX_CLIENT, secret: refreshSecret(token), signal })
  await assert.rejects(
    exchange(refreshSecret(token)),
    fails('grant-revoked', (error) => {
      assert.equal(error.details.providerBody?.['error'], 'invalid_grant')
      assert.match(error.details.advice ?? '', /sign in again/)
      assert.ok(!JSON.stringify(error.details).includes(token))
    }),
  )
})

test('aliases are the verified other sender addresses', async () => {
  assert.deepEqual(await world.google.identity.aliases!(world.session('sandbox-refresh-token-ada')), [
    'ada.moreau@sandbox.example',
  ])
})

test('reads the settings of connect/custom and names what is missing', () => {
  const readSettings = (settings: JsonObject) => world.google.identity.readSettings(settings)
  assert.deepEqual(readSettings({ refresh_token: ' t ', credential_id: 'c' }), {
    secret: refreshSecret('t'),
    credentialId: 'c',
    credentialType: 'connector',
    publicSettings: {},
  })
  const cases: [object, RegExp][] = [
    [{}, /settings\.refresh_token is required/],
    [{ refresh_token: 7 }, /settings\.refresh_token must be a string/],
    [{ email_address: 'a@b.example' }, /settings\.credential_id is required/],
    [{ email_address: 'a@b.example', credential_id: 'c', scopes: 'x' }, /settings\.scopes must be an array/],
  ]
  for (const [settings, message] of cases) assert.throws(() => readSettings({ ...settings }), { message })
})

async function control(path: string, body?: object): Promise<{ readonly [name: string]: unknown }> {
  const answer = await fetch(
    `${world.sandbox.url}/sandbox/${path}`,
    body ? { method: 'POST', body: JSON.stringify(body) } : {},
  )
  return (await answer.json()) as { readonly [name: string]: unknown }
}

test('the sandbox is steered over HTTP: mint, strict rotation, replay, log', async () => {
  const token = String((await control('mint', { email: 'ben@sandbox.example' }))['refresh_token'])
  await control('settings', { strict_rotation: true, access_token_seconds: 60 })
  try {
    const tokens = await exchange(refreshSecret(token))
    assert.ok(tokens.refreshToken)
    assert.ok(tokens.expiresAt <= Date.now() / 1000 + 60)
    await exchange({ kind: 'refresh-token', refreshToken: tokens.refreshToken })
    // Using the first token again kills the whole grant, the newest token included.
    await assert.rejects(exchange(refreshSecret(token)), fails('grant-revoked'))
    await assert.rejects(
      exchange({ kind: 'refresh-token', refreshToken: tokens.refreshToken }),
      fails('grant-revoked'),
    )
  } finally {
    await control('settings', { strict_rotation: false, access_token_seconds: 3599 })
  }
  const calls = (await control('log'))['token_calls'] as readonly {
    readonly refreshToken: string
    readonly status: number
  }[]
  assert.deepEqual(
    calls.filter(({ refreshToken }) => refreshToken === token).map(({ status }) => status),
    [200, 400],
  )
})

test('failures of the token endpoint say whether an answer was lost', async () => {
  const cases: [string, ProviderErrorKind, boolean | undefined][] = [
    ['503', 'unavailable', true],
    ['429', 'rate-limited', undefined],
    ['html', 'malformed-response', false],
    ['drop-before', 'unavailable', false],
    ['drop-after', 'unavailable', false],
  ]
  for (const [mode, kind, answered] of cases) {
    await control('fail', { target: 'token', mode })
    await assert.rejects(
      exchange(refreshSecret('sandbox-refresh-token-ben')),
      fails(kind, (error) => assert.equal(error.details.answered, answered, mode)),
    )
  }
  await exchange(refreshSecret('sandbox-refresh-token-ben'))
})
