import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startSandbox, type Sandbox } from '../../src/sandbox/start-sandbox.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { logKeeper } from '../support/log-keeper.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
const HOUR_MS = 3_600_000

let sandbox: Sandbox
let app: GrantwayApp
const kept = logKeeper()

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  // Token calls are counted: nothing refreshes the grants of other tests meanwhile.
  app = await startGrantway(sandbox.endpoints, { log: kept.log, overrides: { runsJobs: false } })
  const made = await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
  })
  assert.equal(made.status, 201, made.text)
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

const connect = (refreshToken: string, more: object = {}) =>
  app.call('POST', '/v3/connect/custom', {
    provider: 'google',
    settings: { refresh_token: refreshToken },
    ...more,
  })

async function newGrant(email = ADA): Promise<{ id: string; refreshToken: string }> {
  const refreshToken = sandbox.control.mintRefreshToken(email)
  const made = await connect(refreshToken)
  assert.equal(made.status, 201, made.text)
  return { id: made.body.data.id, refreshToken }
}

const tokenCalls = () => sandbox.control.tokenLog().length
const triggersOf = async (id: string) =>
  (await app.application.database.stores.outbox.list((await applicationId()) as never, 10_000))
    .filter((event) => event.grantId === id)
    .map((event) => event.trigger)
const applicationId = async () =>
  (await app.call('GET', '/v3/applications')).body.data.application_id as string

describe('connect/custom with a google refresh token', () => {
  test('answers the whole grant, without a secret', async () => {
    const made = await connect(sandbox.control.mintRefreshToken(BEN), { state: 'u-77' })
    assert.equal(made.status, 201)
    const {
      id,
      created_at: createdAt,
      updated_at: updatedAt,
      credential_id: credentialId,
      ...rest
    } = made.body.data
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.match(credentialId, /^[0-9a-f-]{36}$/)
    assert.equal(createdAt, updatedAt)
    assert.deepEqual(
      { ...rest, scope: rest.scope.length > 0, name: typeof rest.name, user_agent: typeof rest.user_agent },
      {
        provider: 'google',
        grant_status: 'valid',
        email: BEN,
        name: 'string',
        scope: true,
        provider_user_id: rest.provider_user_id,
        state: 'u-77',
        ip: '127.0.0.1',
        user_agent: 'string',
        settings: {},
      },
    )
    assert.equal(made.headers.get('x-request-id'), made.body.request_id)
  })

  test('the same mailbox keeps its grant, with the same token and with a new one', async () => {
    const { id, refreshToken } = await newGrant()
    assert.equal((await connect(refreshToken)).body.data.id, id)
    assert.equal((await connect(sandbox.control.mintRefreshToken(ADA))).body.data.id, id)
    const list = await app.call('GET', `/v3/grants?email=${encodeURIComponent(ADA.toUpperCase())}`)
    assert.deepEqual(
      list.body.data.map((grant: { id: string }) => grant.id),
      [id],
    )
  })

  test('100 requests at once with one new token make one token call and one grant', async () => {
    const refreshToken = sandbox.control.mintRefreshToken(ADA)
    const before = tokenCalls()
    // Slow enough that all of them come while the first one's exchange is under way.
    sandbox.control.fail({ target: 'token', mode: 'slow', times: 1, delayMs: 4000 })
    const answers = await Promise.all(Array.from({ length: 100 }, () => connect(refreshToken)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
    assert.equal(new Set(answers.map(({ body }) => body.data.id)).size, 1)
    assert.equal(tokenCalls() - before, 1)
  })

  test('a deleted grant is not revived: a new id', async () => {
    const { id } = await newGrant()
    const deleted = await app.call('DELETE', `/v3/grants/${id}`)
    assert.deepEqual(Object.keys(deleted.body), ['request_id'])
    assert.equal((await app.call('GET', `/v3/grants/${id}`)).body.error.type, 'grant.not_found')
    assert.notEqual((await newGrant()).id, id)
  })

  test('the errors of the contract, each with its type and status', async () => {
    const token = sandbox.control.mintRefreshToken(ADA)
    const rows: readonly (readonly [object, number, string, RegExp])[] = [
      [{ settings: {} }, 400, 'grant.provider_required', /provider/],
      [{ provider: 'nope', settings: {} }, 400, 'api.invalid_request_error', /provider must be one of/],
      [{ provider: 'ews', settings: {} }, 400, 'api.invalid_request_error', /does not speak ews yet/],
      [{ provider: 'nylas', settings: {} }, 400, 'api.invalid_request_error', /does not speak nylas yet/],
      [{ provider: 'google' }, 400, 'api.invalid_request_error', /settings is required/],
      [{ provider: 'google', settings: {} }, 400, 'api.invalid_request_error', /settings\.refresh_token/],
      [
        { provider: 'google', settings: { refresh_token: 7 } },
        400,
        'api.invalid_request_error',
        /settings\.refresh_token/,
      ],
      [{ provider: 'zoom', settings: { refresh_token: 'x' } }, 400, 'connector.not_found', /zoom/],
      [
        { provider: 'google', settings: { refresh_token: token, credential_id: 'nope' } },
        400,
        'api.invalid_request_error',
        /credential_id/,
      ],
      [
        { provider: 'google', settings: { refresh_token: 'made-up' } },
        401,
        'grant.refresh_token_invalid',
        /refresh token/,
      ],
    ]
    for (const [body, status, type, message] of rows) {
      const answer = await app.call('POST', '/v3/connect/custom', body)
      assert.equal(answer.status, status, answer.text)
      assert.equal(answer.body.error.type, type, answer.text)
      assert.match(answer.body.error.message, message)
    }
    const refused = await connect('made-up')
    assert.equal(typeof refused.body.error.provider_error, 'object')
    assert.equal(refused.body.error.provider_error.error, 'invalid_grant')
  })

  test('a token whose exchange failed on the way is taken up again by the same request', async () => {
    for (const mode of ['503', 'drop-before', 'drop-after', 'html'] as const) {
      const refreshToken = sandbox.control.mintRefreshToken(ADA)
      sandbox.control.fail({ target: 'token', mode, times: 1 })
      const failed = await connect(refreshToken)
      assert.equal(failed.status, 504, `${mode}: ${failed.text}`)
      assert.equal(failed.body.error.type, 'api.provider_error')
      assert.equal((await connect(refreshToken)).status, 201, mode)
    }
  })

  test('an identity that can not be read costs no second exchange of the refresh token', async () => {
    const refreshToken = sandbox.control.mintRefreshToken(BEN, [
      'https://www.googleapis.com/auth/gmail.readonly',
    ])
    sandbox.control.fail({ target: 'api', mode: '503', times: 20 })
    const before = tokenCalls()
    assert.equal((await connect(refreshToken)).status, 504)
    sandbox.control.fail({ target: 'api', mode: '503', times: 0 })
    assert.equal((await connect(refreshToken)).status, 201)
    assert.equal(tokenCalls() - before, 1)
  })
})

describe('an access token of a grant', () => {
  test('100 concurrent reads of an expired one make one token call', async () => {
    const { id } = await newGrant()
    app.clock.advance(2 * HOUR_MS)
    sandbox.control.expireAccessTokens(ADA)
    const before = tokenCalls()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => app.call('GET', `/v3/grants/${id}/messages?limit=1`)),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(tokenCalls() - before, 1)
  })

  test('one that the API refuses is replaced once, and the call repeated', async () => {
    const { id } = await newGrant()
    sandbox.control.expireAccessTokens(ADA)
    const before = tokenCalls()
    assert.equal((await app.call('GET', `/v3/grants/${id}/messages?limit=1`)).status, 200)
    assert.equal(tokenCalls() - before, 1)
  })

  test('a live one is served while the token endpoint fails, and the grant stays valid', async () => {
    const { id } = await newGrant()
    app.clock.advance(HOUR_MS - 120_000) // due, and still alive
    for (const mode of ['503', '429', 'html', 'drop-after'] as const) {
      sandbox.control.fail({ target: 'token', mode, times: 1 })
      assert.equal((await app.call('GET', `/v3/grants/${id}/messages?limit=1`)).status, 200, mode)
      app.clock.advance(10_000) // past the cool-down
    }
    assert.equal((await app.call('GET', `/v3/grants/${id}`)).body.data.grant_status, 'valid')
    sandbox.control.fail({ target: 'token', mode: '503', times: 0 })
  })

  test('a failing token endpoint is not hammered: the cool-down answers at once with Retry-After', async () => {
    const { id } = await newGrant()
    app.clock.advance(2 * HOUR_MS)
    sandbox.control.fail({ target: 'token', mode: '503', times: 1 })
    const failed = await app.call('GET', `/v3/grants/${id}/messages?limit=1`)
    assert.equal(failed.status, 504)
    const before = tokenCalls()
    const second = await app.call('GET', `/v3/grants/${id}/messages?limit=1`)
    assert.equal(second.status, 504)
    assert.match(second.headers.get('retry-after') ?? '', /^\d+$/)
    assert.equal(tokenCalls(), before)
    app.clock.advance(120_000)
    assert.equal((await app.call('GET', `/v3/grants/${id}/messages?limit=1`)).status, 200)
  })

  test('a wrong client secret kills no grant, and the message names the connector', async () => {
    const { id } = await newGrant()
    const update = (secret: string) =>
      app.call('PATCH', '/v3/connectors/google', { settings: { client_secret: secret } })
    assert.equal((await update('wrong')).status, 200)
    app.clock.advance(2 * HOUR_MS)
    const answer = await app.call('GET', `/v3/grants/${id}/messages?limit=1`)
    assert.equal(answer.status, 504, answer.text)
    assert.match(answer.body.error.message, /connector/i)
    assert.equal((await app.call('GET', `/v3/grants/${id}`)).body.data.grant_status, 'valid')
    assert.equal((await update('sandbox-client-secret')).status, 200)
    app.clock.advance(120_000)
    assert.equal((await app.call('GET', `/v3/grants/${id}/messages?limit=1`)).status, 200)
  })

  test('a revoked consent: one grant.expired, the reason everywhere, and connect/custom heals it', async () => {
    const { id } = await newGrant()
    sandbox.control.revokeUser(ADA)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.call('GET', `/v3/grants/${id}/messages?limit=1`)),
    )
    for (const { status, body } of answers) {
      assert.equal(status, 401)
      assert.equal(body.error.type, 'grant.expired')
      assert.equal(body.error.provider_error.error, 'invalid_grant')
      assert.match(body.error.message, /expired/)
    }
    const grant = (await app.call('GET', `/v3/grants/${id}`)).body.data
    assert.equal(grant.grant_status, 'invalid')
    assert.match(grant.reason.advice, /sign in again/)
    assert.equal((await triggersOf(id)).filter((trigger) => trigger === 'grant.expired').length, 1)

    const healed = await connect(sandbox.control.mintRefreshToken(ADA))
    assert.equal(healed.body.data.id, id)
    assert.equal(healed.body.data.grant_status, 'valid')
    assert.equal(healed.body.data.reason, undefined)
    assert.equal((await app.call('GET', `/v3/grants/${id}/messages?limit=1`)).status, 200)
    assert.equal((await triggersOf(id)).at(-1), 'grant.updated')
  })
})

describe('PATCH of a grant', () => {
  test('takes a new refresh token of the same mailbox, and refuses another mailbox', async () => {
    const { id } = await newGrant()
    const settings = (refreshToken: string) => ({ settings: { refresh_token: refreshToken } })
    const taken = await app.call('PATCH', `/v3/grants/${id}`, settings(sandbox.control.mintRefreshToken(ADA)))
    assert.equal(taken.status, 200, taken.text)
    assert.equal(taken.body.data.id, id)
    const other = await app.call('PATCH', `/v3/grants/${id}`, settings(sandbox.control.mintRefreshToken(BEN)))
    assert.equal(other.status, 400)
    assert.equal(other.body.error.type, 'grant.reauth_email_invalid')
    assert.equal((await app.call('PATCH', `/v3/grants/${id}`, {})).status, 400)
  })

  test('scope alone is a label', async () => {
    const { id } = await newGrant()
    const before = tokenCalls()
    const changed = await app.call('PATCH', `/v3/grants/${id}`, { scope: ['openid'] })
    assert.deepEqual(changed.body.data.scope, ['openid'])
    assert.equal(tokenCalls(), before)
  })
})

describe('every identifier form', () => {
  test('finds the grant; me needs an access token', async () => {
    const { id } = await newGrant()
    for (const form of [id, `grant:${id}`, ADA, encodeURIComponent(ADA), `email:${ADA}`]) {
      const found = await app.call('GET', `/v3/grants/${form}`)
      assert.equal(found.body.data?.id, id, form)
      assert.equal((await app.call('GET', `/v3/grants/${form}/messages?limit=1`)).status, 200, form)
    }
    assert.equal((await app.call('GET', '/v3/grants/me')).body.error.type, 'token.unauthorized_access')
    assert.equal((await app.call('GET', '/v3/grants/external:nobody')).status, 404)
  })
})

test('no secret that passed through is in the log or the database files', async () => {
  const refreshToken = sandbox.control.mintRefreshToken(ADA)
  assert.equal((await connect(refreshToken)).status, 201)
  await app.call('GET', `/v3/grants/${ADA}/messages?limit=1`)
  const planted = [refreshToken, 'sandbox-client-secret', app.key]
  const files = await kept.filesOf(app.dataDir)
  assert.ok(files.length >= 2 && kept.text().length > 100)
  for (const secret of planted) {
    assert.ok(!kept.text().includes(secret), 'a secret is in the log')
    for (const { name, bytes } of files) assert.ok(!bytes.includes(secret), `a secret is in ${name}`)
  }
})
