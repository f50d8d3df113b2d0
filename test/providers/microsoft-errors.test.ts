import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { GRAPH_ERROR_RULES, graphApiError, graphErrorOfText } from '../../src/providers/microsoft/errors.ts'
import { AADSTS_RULES, OAUTH_RULES } from '../../src/providers/microsoft/token-error-rules.ts'
import { aadsts } from '../support/fake-graph/token-endpoint.ts'
import { clientWith, type MicrosoftWorld, startMicrosoftWorld } from '../support/fake-graph/world.ts'

let world: MicrosoftWorld
before(async () => {
  world = await startMicrosoftWorld()
})
after(() => world.stop())

async function refusal(status: number, body: unknown): Promise<ProviderError> {
  world.graph.tokens.failNext(status, body)
  // A refused scope is tried once more for everything: that one gets the same answer.
  world.graph.tokens.failNext(status, body)
  const secret = {
    kind: 'refresh-token' as const,
    refreshToken: new Secret(world.graph.tokens.mint('ada@contoso.example')),
  }
  const call = { client: clientWith(), secret, scope: ['Mail.Read'], signal: AbortSignal.timeout(30_000) }
  const error = await world.microsoft.identity.exchange(call).then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  )
  // The second failure is left over where no second call was made.
  await world.microsoft.identity.exchange({ ...call, scope: [] }).catch(() => {})
  assert.ok(error instanceof ProviderError, String(error))
  return error
}

test('each AADSTS number stands once, with plain advice and a source', () => {
  const codes = AADSTS_RULES.flatMap((rule) => rule.codes)
  assert.equal(new Set(codes).size, codes.length)
  for (const { advice, message, source } of [...AADSTS_RULES, ...Object.values(OAUTH_RULES)]) {
    assert.match(advice, /\.$/)
    assert.match(message, /\.$/)
    assert.match(source, /^(learn\.microsoft\.com\/|public reports)/)
  }
})

for (const rule of AADSTS_RULES) {
  for (const code of rule.codes) {
    test(`AADSTS${code} is ${rule.kind}`, async () => {
      const error = await refusal(400, aadsts('invalid_grant', code, 'As Microsoft words it.'))
      assert.deepEqual(
        [error.kind, error.message, error.details.providerCode, error.details.advice],
        [rule.kind, rule.message, `AADSTS${code}`, rule.advice],
      )
      assert.deepEqual(Object.keys(error.details.providerBody ?? {}).toSorted(), [
        'error',
        'error_codes',
        'error_description',
        'error_uri',
      ])
    })
  }
}

/** contract/auth.md 10.3, number by number. */
const CONTRACT: readonly [ProviderErrorKind, readonly number[]][] = [
  [
    'grant-revoked',
    [
      70000, 70008, 700082, 700084, 70043, 50173, 50057, 50034, 50055, 65001, 65004, 50076, 50079, 50078,
      53003, 530003, 50020, 90072,
    ],
  ],
  ['client-misconfigured', [7000215, 7000222, 700016, 50194, 50011, 90002]],
]
test('judges every number of the contract as the contract does', () => {
  const kindOf = new Map(
    AADSTS_RULES.flatMap(({ codes, kind }) => codes.map((code) => [code, kind] as const)),
  )
  for (const [kind, codes] of CONTRACT)
    for (const code of codes) assert.equal(kindOf.get(code), kind, String(code))
  for (const code of [50196, 90033, 90099])
    assert.match(kindOf.get(code) ?? '', /^(unavailable|rate-limited)$/)
})

const OTHERS: readonly [string, number, unknown, ProviderErrorKind][] = [
  [
    'a number only in the text',
    400,
    { error: 'invalid_grant', error_description: 'AADSTS700082: expired' },
    'grant-revoked',
  ],
  [
    'a number only in the list',
    400,
    { error: 'invalid_request', error_codes: [7000222] },
    'client-misconfigured',
  ],
  ['an unknown number with invalid_grant', 400, aadsts('invalid_grant', 999999, 'new'), 'grant-revoked'],
  ['interaction_required', 400, { error: 'interaction_required' }, 'grant-revoked'],
  ['consent_required', 400, { error: 'consent_required' }, 'grant-revoked'],
  ['invalid_client without a number', 401, { error: 'invalid_client' }, 'client-misconfigured'],
  ['temporarily_unavailable', 400, { error: 'temporarily_unavailable' }, 'unavailable'],
  ['500 with the words of a revocation', 500, aadsts('invalid_grant', 700082, 'x'), 'unavailable'],
  ['429 with the words of a revocation', 429, aadsts('invalid_grant', 700082, 'x'), 'rate-limited'],
  [
    'a personal account that lacks a scope',
    400,
    aadsts(
      'invalid_grant',
      70000,
      'The request was denied because one or more scopes requested are unauthorized or expired.',
    ),
    'grant-revoked',
  ],
  ['nothing of Microsoft’s', 403, { message: 'proxy' }, 'unavailable'],
  ['error codes of another type', 400, { error: 'invalid_grant', error_codes: { a: 1 } }, 'grant-revoked'],
]
for (const [name, status, body, kind] of OTHERS) {
  test(`token endpoint, ${name}: ${kind}`, async () => {
    assert.equal((await refusal(status, body)).kind, kind)
  })
}

const ANSWERED_STATUS: { readonly [kind in ProviderErrorKind]?: number } = {
  'not-found': 404,
  'access-refused': 401,
  'scope-missing': 403,
  'rate-limited': 429,
  unavailable: 503,
  conflict: 409,
}
for (const rule of GRAPH_ERROR_RULES) {
  for (const code of rule.codes) {
    test(`Graph ${code} is ${rule.kind}`, () => {
      const status = ANSWERED_STATUS[rule.kind] ?? 400
      const error = graphApiError({
        status,
        body: { error: { code, message: 'm', innerError: { 'request-id': 'r', secret: 'hidden' } } },
      })
      assert.equal(error.kind, rule.kind)
      assert.deepEqual(error.details.providerBody, { code, message: 'm', innerError: { 'request-id': 'r' } })
    })
  }
}

const BY_STATUS: readonly [number, string, number | undefined, ProviderErrorKind][] = [
  [302, '<html>', undefined, 'malformed-response'],
  [400, '', undefined, 'invalid-request'],
  [401, 'null', undefined, 'access-refused'],
  [403, '[]', undefined, 'access-refused'],
  [404, '{"error":"text"}', undefined, 'not-found'],
  [412, '{}', undefined, 'conflict'],
  [429, '<html>', 7, 'rate-limited'],
  [500, '{"error":{"code":"ErrorItemNotFound"}}', undefined, 'unavailable'],
  [503, '', 3, 'rate-limited'],
  [504, '', undefined, 'unavailable'],
  [401, '{"error":{"code":"ErrorItemNotFound"}}', undefined, 'access-refused'],
]
for (const [status, text, retryAfter, kind] of BY_STATUS) {
  test(`Graph ${status} with ${text || 'nothing'}: ${kind}`, () => {
    const error = graphErrorOfText(status, text, retryAfter)
    assert.equal(error.kind, kind)
    assert.equal(error.details.retryAfterSeconds, retryAfter)
    assert.ok(error.details.providerBody)
  })
}
