import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { type ApiAnswer, type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

// Zoom's stand-in kills the whole grant when a refresh token comes a second time, so a token that is lost or
// spent twice can't go unseen.

export const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

/** Defines the tests. `environment` says what database the server uses. */
export function testStrictRotation(options: {
  readonly environment: () => Promise<{ readonly [name: string]: string }>
  /** with this age an exchange that was left a day ago counts as old: the database's clock may not be ours */
  readonly dayOldMs: number
}): void {
  let zoom: FakeZoom
  let app: GrantwayApp
  before(async () => {
    zoom = await startFakeZoom()
    const environment = {
      ...(await options.environment()),
      GRANTWAY_ZOOM_AUTHORIZE_URL: zoom.endpoints.authorizeUrl,
      GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
      GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
    }
    // Token calls are counted: nothing refreshes the grants of other tests meanwhile.
    app = await startGrantway(environment, { overrides: { runsJobs: false } })
    const made = await app.call('POST', '/v3/connectors', {
      provider: 'zoom',
      settings: { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret },
    })
    assert.equal(made.status, 201, made.text)
  })
  after(async () => {
    await app.stop()
    await zoom.stop()
  })

  const settings = (refreshToken: string) => ({ settings: { refresh_token: refreshToken } })
  const connect = (refreshToken: string) =>
    app.call('POST', '/v3/connect/custom', { provider: 'zoom', ...settings(refreshToken) })
  const patch = (id: string, refreshToken: string) =>
    app.call('PATCH', `/v3/grants/${id}`, settings(refreshToken))

  let users = 0
  function newUser(): { readonly email: string; readonly token: string } {
    users += 1
    const email = `user-${users}@zoom.example`
    return { email, token: zoom.mint(email) }
  }

  async function newGrant() {
    const user = newUser()
    return { ...user, id: grantOf(await connect(user.token)) }
  }

  function grantOf(answer: ApiAnswer): string {
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.body.data.grant_status, 'valid')
    return answer.body.data.id
  }

  /** How many token calls `work` makes. */
  async function callsOf(work: () => Promise<void>): Promise<number> {
    const before = zoom.tokenCalls()
    await work()
    return zoom.tokenCalls() - before
  }

  /** Sends requests while the provider's answers are kept back, and lets it answer when all have come in. */
  async function allAtOnce(count: number, send: () => Promise<ApiAnswer>): Promise<readonly ApiAnswer[]> {
    const held = zoom.hold('token')
    let come = 0
    const { server } = app.application.http
    const allCame = new Promise<void>((resolve) => {
      server.on('request', function note() {
        come += 1
        if (come < count) return
        server.off('request', note)
        resolve()
      })
    })
    const answers = Promise.all(Array.from({ length: count }, send))
    await allCame
    // Later requests are answered after the database work of those before.
    for (let i = 0; i < 3; i++) await app.call('GET', '/v3/grants?limit=200')
    held.release()
    return answers
  }

  describe('a strictly rotating refresh token', () => {
    let replaysBefore = 0
    beforeEach(() => {
      replaysBefore = zoom.replays()
    })
    afterEach(() => assert.equal(zoom.replays() - replaysBefore, 0, 'a spent refresh token was sent again'))

    test('100 requests at once with one new token make one token call and one grant', async () => {
      const { token } = newUser()
      const calls = await callsOf(async () => {
        const answers = await allAtOnce(100, () => connect(token))
        assert.equal(new Set(answers.map(grantOf)).size, 1)
      })
      assert.equal(calls, 1)
    })

    test('100 requests at once on a grant whose access token is over make one refresh', async () => {
      const { id, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      const calls = await callsOf(async () => {
        const answers = await allAtOnce(100, () => connect(token))
        assert.deepEqual([...new Set(answers.map(grantOf))], [id])
      })
      assert.equal(calls, 1)
    })

    test('superseded and current tokens, posted again, name their grant and refresh its newest secret', async () => {
      const { id, email, token } = await newGrant()
      const second = zoom.currentToken(email)
      assert.notEqual(second, token)
      for (const posted of [token, second, token]) {
        const calls = await callsOf(async () => assert.equal(grantOf(await connect(posted)), id))
        assert.equal(calls, 1)
      }
      const current = zoom.currentToken(email)
      assert.equal(await callsOf(async () => assert.equal(grantOf(await connect(current)), id)), 1)
    })

    test('an account that could not be read after the exchange is read with the repeated request', async () => {
      const { email, token } = newUser()
      zoom.failNextMe(503, {})
      const calls = await callsOf(async () => {
        assert.equal((await connect(token)).status, 504)
        assert.notEqual(zoom.currentToken(email), token)
        grantOf(await connect(token))
      })
      assert.equal(calls, 1)
    })

    test('two hours later it is the rotated token that is exchanged, not the one that is posted', async () => {
      const { token } = newUser()
      const calls = await callsOf(async () => {
        zoom.failNextMe(503, {})
        assert.equal((await connect(token)).status, 504)
        app.clock.advance(2 * HOUR_MS)
        zoom.failNextMe(503, {})
        assert.equal((await connect(token)).status, 504)
        app.clock.advance(2 * HOUR_MS)
        grantOf(await connect(token))
      })
      assert.equal(calls, 3)
    })

    test('100 requests at once on an unfinished exchange whose access token is over make one token call', async () => {
      const { token } = newUser()
      zoom.failNextMe(503, {})
      assert.equal((await connect(token)).status, 504)
      app.clock.advance(2 * HOUR_MS)
      const calls = await callsOf(async () => {
        const answers = await allAtOnce(100, () => connect(token))
        assert.equal(new Set(answers.map(grantOf)).size, 1)
      })
      assert.equal(calls, 1)
    })

    test('a request that is slow to read the account does not put a spent token over a newer one', async () => {
      const { id, token, slow } = await heldBeforeTheGrant()
      // Its grant is made by another request and refreshed before the slow one writes.
      assert.equal(grantOf(await connect(token)), id)
      const rotated = await callsOf(async () => assert.equal(grantOf(await connect(token)), id))
      assert.equal(rotated, 1)
      slow.release()
      assert.equal(grantOf(await slow.answer), id)
      app.clock.advance(2 * HOUR_MS)
      assert.equal(grantOf(await connect(token)), id)
    })

    /** A first request whose account is being read, while a second one has finished with the same token. */
    async function heldBeforeTheGrant() {
      const { token } = newUser()
      const held = zoom.hold('me')
      const answer = connect(token)
      await held.first
      const passed = zoom.hold('me')
      passed.release()
      const id = grantOf(await connect(token))
      return { id, token, slow: { answer, release: () => held.release() } }
    }

    test('a slow request does not put a token over the one that an unfinished exchange was renewed to', async () => {
      const { token } = newUser()
      const held = zoom.hold('me')
      const slow = connect(token)
      await held.first
      zoom.hold('me').release()
      app.clock.advance(2 * HOUR_MS)
      zoom.failNextMe(503, {})
      const renewed = await callsOf(async () => assert.equal((await connect(token)).status, 504))
      assert.equal(renewed, 1)
      held.release()
      const id = grantOf(await slow)
      app.clock.advance(2 * HOUR_MS)
      assert.equal(grantOf(await connect(token)), id)
    })

    test('an answer dropped on the way: one more try is sent, and its refusal says that an answer was lost', async () => {
      const { token } = newUser()
      zoom.dropNextToken()
      const calls = await callsOf(async () => {
        assert.equal((await connect(token)).status, 504)
      })
      assert.equal(calls, 1)
      zoom.failNext(503, {})
      assert.equal((await connect(token)).status, 504)
      zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
      const refused = await connect(token)
      assert.equal(refused.status, 401, refused.text)
      assert.equal(refused.body.error.type, 'grant.refresh_token_invalid')
      assert.match(refused.body.error.message, /answer .* was lost/)
    })

    test('an answer lost while a grant is refreshed: the reason says so, also after a failure in between', async () => {
      const { id, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      zoom.dropNextToken()
      assert.equal((await connect(token)).status, 504)
      zoom.failNext(503, {})
      assert.equal((await connect(token)).status, 504)
      zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
      const refused = await connect(token)
      assert.equal(refused.status, 401, refused.text)
      const grant = await app.call('GET', `/v3/grants/${id}`)
      assert.equal(grant.body.data.grant_status, 'invalid')
      assert.equal(grant.body.data.reason.code, 'refresh_answer_lost')
    })

    test('PATCH with a token that rotates keeps the grant, and the token is not spent again', async () => {
      const { id, email, token } = await newGrant()
      const fresh = zoom.mint(email)
      for (const posted of [fresh, fresh, token]) {
        const patched = await patch(id, posted)
        assert.equal(patched.status, 200, patched.text)
        assert.equal(patched.body.data.id, id)
      }
      assert.equal(grantOf(await connect(fresh)), id)
    })

    test('PATCH with the token of another account spends it, keeps it, and the account can still be connected', async () => {
      const { id } = await newGrant()
      const other = newUser()
      const refused = await patch(id, other.token)
      assert.equal(refused.status, 400, refused.text)
      assert.equal(refused.body.error.type, 'grant.reauth_email_invalid')
      assert.notEqual(grantOf(await connect(other.token)), id)
      assert.equal((await patch(id, other.token)).body.error.type, 'grant.reauth_email_invalid')
    })

    test('a re-authentication that lands while a refresh is under way wins', async () => {
      const { id, email, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      const held = zoom.hold('token')
      const refreshing = connect(token)
      await held.first
      zoom.hold('token').release()
      const fresh = zoom.mint(email)
      assert.equal(grantOf(await connect(fresh)), id)
      held.release()
      assert.equal(grantOf(await refreshing), id)
      app.clock.advance(2 * HOUR_MS)
      for (const posted of [token, fresh, zoom.currentToken(email)]) {
        assert.equal(grantOf(await connect(posted)), id)
      }
    })

    test('a re-authentication that lands while a refresh is being refused keeps the grant valid', async () => {
      const { id, email, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      const held = zoom.hold('token')
      zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
      const refreshing = connect(token)
      await held.first
      zoom.hold('token').release()
      assert.equal(grantOf(await connect(zoom.mint(email))), id)
      held.release()
      assert.equal(grantOf(await refreshing), id)
      assert.equal((await app.call('GET', `/v3/grants/${id}`)).body.data.grant_status, 'valid')
    })

    test('a re-authentication that was asked before the grant died does not bring it back', async () => {
      const { id, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      const held = zoom.hold('me')
      const slow = connect(token)
      await held.first
      const refusal = { reason: 'Invalid Token!', error: 'invalid_request' }
      zoom.failNext(401, refusal)
      assert.equal((await connect(token)).status, 401)
      // The slow one asks the provider again, which does not think otherwise.
      zoom.failNext(401, refusal)
      held.release()
      const answer = await slow
      assert.equal(answer.status, 401, answer.text)
      assert.equal((await app.call('GET', `/v3/grants/${id}`)).body.data.grant_status, 'invalid')
      assert.equal(await deathsOf(id), 1)
    })

    /** How often the end of a grant was told. */
    async function deathsOf(id: string): Promise<number> {
      const { audit } = app.application.database.stores
      const rows = await audit.list({ applicationId: null, target: `grant:${id}` }, { limit: 100 })
      return rows.filter(({ action }) => action === 'grant.expired').length
    }

    test('a re-authentication brings a dead grant back when the provider takes its token again', async () => {
      const { id, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
      assert.equal((await connect(token)).status, 401)
      assert.equal(grantOf(await connect(token)), id)
      app.clock.advance(2 * HOUR_MS)
      assert.equal(grantOf(await connect(token)), id)
    })

    test('a grant deleted while it is refreshed stays deleted', async () => {
      const { id, token } = await newGrant()
      app.clock.advance(2 * HOUR_MS)
      const held = zoom.hold('me')
      const refreshing = connect(token)
      await held.first
      assert.equal((await app.call('DELETE', `/v3/grants/${id}`)).status, 200)
      held.release()
      const answer = await refreshing
      assert.equal(answer.status, 404, answer.text)
      assert.equal(answer.body.error.type, 'grant.not_found')
      assert.equal((await app.call('GET', `/v3/grants/${id}`)).status, 404)
    })
  })

  describe('a spent token that is not known any more', () => {
    test('is refused after the grant was deleted', async () => {
      const { id, token } = await newGrant()
      assert.equal((await app.call('DELETE', `/v3/grants/${id}`)).status, 200)
      const refused = await connect(token)
      assert.equal(refused.status, 401, refused.text)
      assert.equal(refused.body.error.type, 'grant.refresh_token_invalid')
    })

    test('is refused when its exchange was left unfinished for more than a day', async () => {
      const { token } = newUser()
      zoom.failNextMe(503, {})
      assert.equal((await connect(token)).status, 504)
      app.clock.advance(DAY_MS + HOUR_MS)
      assert.equal(await app.application.database.stores.pendingSecrets.deleteOlderThan(options.dayOldMs), 1)
      const refused = await connect(token)
      assert.equal(refused.status, 401, refused.text)
      assert.equal(refused.body.error.type, 'grant.refresh_token_invalid')
      assert.equal(refused.body.error.provider_error.reason, 'Invalid Token!')
    })
  })
}
