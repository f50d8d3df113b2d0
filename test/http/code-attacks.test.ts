import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { applicationId } from '../../src/contract/ids.ts'
import { assertOAuthError, REDIRECT, sdkPkce, startTokenApp, type TokenApp } from '../support/token-app.ts'

// Attacks on the codes of ours (RFC 9700): replay, downgrade, another client's code, guessing.

const UNKNOWN = /^The code is unknown, expired, already used, or belongs to another client\.$/

let app: TokenApp
let other: { readonly client_id: string; readonly client_secret: string }
before(async () => {
  app = await startTokenApp()
  const { services } = app.application
  const { id } = await services.applications.create({ name: 'Other' })
  const { value } = await services.apiKeys.create(applicationId(id), { name: 'other' })
  other = { client_id: id, client_secret: value }
})
after(() => app.stop())

/** Checks that no exchange of this code succeeds any more. */
async function assertBurnt(code: string, change: object = {}): Promise<void> {
  assertOAuthError(await app.exchange(code, change), 400, 'invalid_grant', UNKNOWN)
}

async function statusOf(accessToken: string): Promise<number> {
  return (await app.as(accessToken, 'GET', '/v3/grants/me')).status
}

test('a code that comes again revokes everything it gave', async () => {
  const code = await app.code()
  const { body } = await app.exchange(code)
  const refreshed = await app.refresh(body.refresh_token)
  assert.deepEqual(
    [await statusOf(body.access_token), await statusOf(refreshed.body.access_token)],
    [200, 200],
  )
  await assertBurnt(code)
  assert.deepEqual(
    [await statusOf(body.access_token), await statusOf(refreshed.body.access_token)],
    [401, 401],
  )
  assertOAuthError(
    await app.refresh(body.refresh_token),
    400,
    'invalid_grant',
    /^The refresh token is unknown/,
  )
  const audit = await app.application.database.stores.audit.list(
    { applicationId: app.clientId, action: 'tokens.revoked' },
    { limit: 1 },
  )
  assert.deepEqual(
    audit.map(({ actor, target, detail }) => ({ actor, target, detail })),
    [{ actor: 'system', target: `grant:${app.grantId}`, detail: { because: 'code_replayed' } }],
  )
})

test('of many exchanges of one code at once exactly one succeeds, and the replays revoke its tokens', async () => {
  const code = await app.code()
  const answers = await Promise.all(Array.from({ length: 8 }, () => app.exchange(code)))
  const [won, ...rest] = answers.filter(({ status }) => status === 200)
  assert.ok(won && rest.length === 0)
  for (const lost of answers.filter((answer) => answer !== won)) {
    assertOAuthError(lost, 400, 'invalid_grant', UNKNOWN)
  }
  assert.equal(await statusOf(won.body.access_token), 401)
})

test('whoever finds an old code and can’t pass for the client signs nobody out', async () => {
  const code = await app.code()
  const { body } = await app.exchange(code)
  for (const change of [{ client_secret: undefined }, { client_secret: 'wrong' }, other]) {
    assert.notEqual((await app.exchange(code, change)).status, 200)
  }
  assert.equal(await statusOf(body.access_token), 200)
})

test('a code of another client is unknown, and burnt', async () => {
  const code = await app.code()
  assertOAuthError(await app.exchange(code, other), 400, 'invalid_grant', UNKNOWN)
  await assertBurnt(code)
})

test('a failed exchange burns the code: wrong key, redirect, verifier, expiry', async () => {
  const { verifier, ...pkce } = sdkPkce()
  const wrongKey = await app.code()
  assert.equal((await app.exchange(wrongKey, { client_secret: 'wrong' })).status, 401)
  await assertBurnt(wrongKey)

  for (const redirect of [
    `${REDIRECT}/`,
    `${REDIRECT}?a=b`,
    REDIRECT.toUpperCase(),
    'https://app.example/c%62',
    'https://app.example:443/cb',
    'https://evil.example/cb',
  ]) {
    const code = await app.code()
    const answer = await app.exchange(code, { redirect_uri: redirect })
    assertOAuthError(answer, 400, 'invalid_grant', /^redirect_uri is not the one/)
    await assertBurnt(code)
  }

  const wrongVerifier = await app.code(pkce)
  const answer = await app.exchange(wrongVerifier, { code_verifier: `${verifier}x` })
  assertOAuthError(answer, 400, 'invalid_grant', /^code_verifier does not belong/)
  await assertBurnt(wrongVerifier, { code_verifier: verifier })

  const late = await app.code()
  app.clock.advance(5 * 60 * 1000)
  await assertBurnt(late)
})

test('PKCE can’t be taken off: a challenge needs its verifier, with an API key or without', async () => {
  const { verifier, challenge, challengeMethod } = sdkPkce()
  for (const key of [app.key, undefined]) {
    for (const verifierSent of [undefined, '', challenge, 'x'.repeat(64), verifier.toUpperCase()]) {
      const code = await app.code({ challenge, challengeMethod })
      const answer = await app.exchange(code, {
        client_secret: key,
        code_verifier: verifierSent,
        // What the exchange says about the method counts for nothing.
        code_challenge: verifierSent,
        code_challenge_method: 'plain',
      })
      assertOAuthError(answer, 400, 'invalid_grant', /code_verifier/)
      await assertBurnt(code, { client_secret: key, code_verifier: verifier })
    }
  }
})

test('guessed codes look alike whatever they are, and touch nothing', async () => {
  const code = await app.code()
  const guesses = [
    'x',
    'gw_code_',
    `gw_code_${'A'.repeat(43)}`,
    code.slice(0, -1),
    `${code}A`,
    ` ${code}`,
    code.toUpperCase(),
    'x'.repeat(16_000),
    '\u{1F600}',
    '__proto__',
  ]
  const bodies = new Set<string>()
  for (const guess of guesses) {
    const answer = await app.exchange(guess)
    assertOAuthError(answer, 400, 'invalid_grant', UNKNOWN)
    bodies.add(answer.text.replace(answer.body.request_id, ''))
  }
  assert.equal(bodies.size, 1)
  assert.equal((await app.exchange(code)).status, 200)
})

test('a code is no access token and no refresh token, nor the other way round', async () => {
  const code = await app.code()
  const { body } = await app.exchange(code)
  assert.equal(await statusOf(await app.code()), 401)
  assert.equal(await statusOf(body.refresh_token), 401)
  assert.equal(await statusOf(body.id_token), 401)
  for (const token of [body.access_token, await app.code(), body.id_token]) {
    assertOAuthError(await app.refresh(token), 400, 'invalid_grant', /unknown/)
  }
  for (const token of [body.access_token, body.refresh_token]) await assertBurnt(token)
  assert.equal(await statusOf(body.access_token), 200)
})

test('a code of a grant that is deleted or invalid gives nothing', async () => {
  const { database } = app.application
  const gone = await app.newGrant('gone@calendar.example')
  const code = await app.code({ grantId: gone })
  assert.equal((await app.call('DELETE', `/v3/grants/${gone}`)).status, 200)
  await assertBurnt(code)

  const dead = await app.newGrant('dead@calendar.example')
  const deadCode = await app.code({ grantId: dead })
  await database.stores.grants.markInvalid(app.clientId, dead, {
    code: 'revoked',
    message: 'm',
    advice: 'a',
    at: 1,
  })
  const answer = await app.exchange(deadCode)
  assertOAuthError(answer, 400, 'invalid_grant', /^The grant is invalid \(revoked\): the user has to/)
  await assertBurnt(deadCode)
})
