import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { appError } from '../../src/contract/errors.ts'
import type { TokenService } from '../../src/core/ports/oauth-services.ts'
import { createTokenService } from '../../src/core/tokens/token-service.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { OAuthError } from '../../src/kit/oauth-error.ts'
import { startHttpApp, type HttpApp } from '../support/http-app.ts'
import { rawRequest } from '../support/raw-http.ts'
import { assertOAuthError } from '../support/token-app.ts'

// Whatever goes wrong on the three token paths has the OAuth body (contract/auth.md 1.1 B and rule 4).

let app: HttpApp
let failure: unknown
before(async () => {
  const fail = () => Promise.reject(failure as Error)
  const tokens: TokenService = {
    issueCode: fail,
    exchange: fail,
    info: fail,
    revoke: fail,
    authenticate: () => Promise.resolve(null),
    jwks: fail,
  }
  app = await startHttpApp({ services: { tokens } })
})
after(() => app.close())

const ROUTES = [
  ['POST', '/v3/connect/token'],
  ['GET', '/v3/connect/tokeninfo'],
  ['POST', '/v3/connect/revoke?token=x'],
] as const

const FAILURES: readonly [name: string, error: unknown, status: number, code: string, text: RegExp][] = [
  ['its own', new OAuthError('invalid_grant', 400, 'Said so.'), 400, 'invalid_grant', /^Said so\.$/],
  [
    'a rate limit',
    new OAuthError('temporarily_unavailable', 429, 'Slower.', 7),
    429,
    'temporarily_unavailable',
    /^S/,
  ],
  [
    'the rate limit of the catalogue',
    appError('api.rate_limit_error'),
    429,
    'temporarily_unavailable',
    /^Too many/,
  ],
  ['the database is away', appError('api.unavailable'), 503, 'temporarily_unavailable', /database/],
  ['a blocked application', appError('api.resource_blocked'), 423, 'invalid_request', /blocked/],
  ['no key', appError('token.unauthorized_access'), 401, 'invalid_client', /^Bearer/],
  ['too slow', appError('api.provider_error', 'Time.'), 504, 'server_error', /^Time\.$/],
  [
    'an unknown error',
    new Error('private: 10.0.0.1'),
    500,
    'server_error',
    /^Something went wrong on our side\.$/,
  ],
  ['something that is no error', 'private', 500, 'server_error', /^Something went wrong on our side\.$/],
]
for (const [name, error, status, code, text] of FAILURES) {
  test(`answers in the OAuth body: ${name}`, async () => {
    for (const [method, path] of ROUTES) {
      failure = error
      const answer = await app.call(method, path, method === 'GET' ? undefined : {}, { authorization: '' })
      assertOAuthError(answer, status, code, text)
      assert.ok(!answer.text.includes('private'))
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      if (error instanceof OAuthError && error.retryAfterSeconds) {
        assert.equal(answer.headers.get('retry-after'), String(error.retryAfterSeconds))
      }
      if (status === 401) assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    }
  })
}

test('also for an expectation that can’t be met', async () => {
  const lines = ['POST /v3/connect/token HTTP/1.1', 'host: x', 'connection: close', 'expect: a-miracle']
  const answer = await rawRequest(app.port, [...lines, 'content-length: 0', '', ''].join('\r\n'))
  const body = JSON.parse(answer.body)
  assert.deepEqual([answer.status, body.error, body.error_code], [417, 'invalid_request', 417])
})

test('asks the limit before anything is looked up, and tells it of each refusal', async () => {
  const asked: unknown[] = []
  let isOpen = true
  const { database, clock, services } = app
  const tokens = createTokenService({
    database,
    clock,
    ids: randomIds,
    log: silentLogger,
    apiKeys: services.apiKeys,
    vault: { seal: () => '', open: () => assert.fail('nothing is opened'), digest: () => '' },
    issuer: () => 'https://issuer.example',
    attempts: {
      async admit(attempt) {
        asked.push(['admit', attempt])
        if (!isOpen) throw new OAuthError('temporarily_unavailable', 429, 'Too many attempts.', 60)
      },
      async refused(attempt) {
        asked.push(['refused', attempt])
      },
    },
  })
  const form = {
    grant_type: 'authorization_code',
    client_id: app.applicationId,
    client_secret: app.key,
    code: `gw_code_${'A'.repeat(43)}`,
    redirect_uri: 'https://app.example/cb',
  }
  const context = { requestId: 'r', signal: new AbortController().signal, ip: '192.0.2.1' }
  const attempt = { clientId: app.applicationId, ip: '192.0.2.1' }
  await assert.rejects(tokens.exchange(form, null, context), { code: 'invalid_grant' })
  assert.deepEqual(asked, [
    ['admit', attempt],
    ['refused', attempt],
  ])
  isOpen = false
  await assert.rejects(tokens.exchange(form, null, context), { status: 429, retryAfterSeconds: 60 })
  assert.deepEqual(asked.slice(2), [['admit', attempt]])
})
