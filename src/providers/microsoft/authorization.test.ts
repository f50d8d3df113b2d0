import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizeCall } from '../../core/ports/authorization.ts'
import type { ProviderClient } from '../../core/ports/identity.ts'
import { systemClock } from '../../kit/clock.ts'
import { Secret } from '../../kit/secret.ts'
import { createMicrosoftAuthorization } from './authorization.ts'
import type { MicrosoftEndpoints } from './endpoints.ts'

const noCall = () => Promise.reject(new Error('no call'))

const LOGIN = 'https://login.microsoftonline.com'
const REDIRECT = 'https://mail.example/v3/connect/callback'
const REDIRECT_ENCODED = 'https%3A%2F%2Fmail.example%2Fv3%2Fconnect%2Fcallback'
const GRAPH = 'https%3A%2F%2Fgraph.microsoft.com%2F'
const IDENTITY = 'openid%20profile%20email%20offline_access'

const client: ProviderClient = {
  credentialType: 'connector',
  clientId: 'ms-client',
  clientSecret: new Secret('ms-secret-1'),
  data: {},
}
const call: AuthorizeCall = {
  client,
  redirectUri: REDIRECT,
  state: 'nonce-1',
  codeChallenge: 'challenge-1',
  scope: [],
  includeGrantedScopes: false,
}
const microsoft = (changes: Partial<MicrosoftEndpoints> = {}) => {
  const endpoints = {
    authorizeUrl: `${LOGIN}/{tenant}/oauth2/v2.0/authorize`,
    tokenUrl: `${LOGIN}/{tenant}/oauth2/v2.0/token`,
    adminConsentUrl: `${LOGIN}/{tenant}/adminconsent`,
    graphUrl: 'https://graph.microsoft.com',
    ...changes,
  }
  const http = { request: noCall, stream: noCall, close: () => Promise.resolve() }
  return createMicrosoftAuthorization({ endpoints, http, clock: systemClock })
}
const scopeOf = (url: string) => new URL(url).searchParams.get('scope')

test('the whole address: common tenant, account choice, scopes in full, S256', () => {
  assert.equal(
    microsoft().authorizeUrl({ ...call, scope: ['Mail.Read'] }),
    `${LOGIN}/common/oauth2/v2.0/authorize?response_type=code&response_mode=query&client_id=ms-client` +
      `&redirect_uri=${REDIRECT_ENCODED}&scope=${GRAPH}Mail.Read%20${GRAPH}User.Read%20${IDENTITY}` +
      '&state=nonce-1&code_challenge=challenge-1&code_challenge_method=S256&prompt=select_account',
  )
})

test('with a hint the account is taken without a choice, in the tenant of the client', () => {
  const url = new URL(
    microsoft().authorizeUrl({
      ...call,
      client: { ...client, tenant: 'corp.example' },
      loginHint: 'ada@corp.example',
    }),
  )
  assert.equal(url.pathname, '/corp.example/oauth2/v2.0/authorize')
  assert.equal(url.searchParams.get('login_hint'), 'ada@corp.example')
  assert.equal(url.searchParams.get('prompt'), null)
})

test('short and full names are one scope; foreign resources are consented to beside Graph', () => {
  const scope = scopeOf(
    microsoft().authorizeUrl({
      ...call,
      scope: [
        'https://graph.microsoft.com/Mail.Read',
        'mail.read',
        'user.read',
        'Offline_Access',
        'https://outlook.office.com/IMAP.AccessAsUser.All',
      ],
    }),
  )
  assert.equal(
    scope,
    'https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/user.read https://outlook.office.com/IMAP.AccessAsUser.All openid profile email offline_access',
  )
})

test('.default stands alone among the scopes of Graph', () => {
  const scope = scopeOf(
    microsoft().authorizeUrl({ ...call, scope: ['https://graph.microsoft.com/.default', 'Mail.Read'] }),
  )
  assert.equal(scope, 'https://graph.microsoft.com/.default openid profile email offline_access')
})

test('a tenant that is none does not get into the address', () => {
  const bad = { ...call, client: { ...client, tenant: 'evil.example/../x?' } }
  assert.throws(() => microsoft().authorizeUrl(bad), { kind: 'client-misconfigured' })
  assert.throws(() => microsoft().adminConsentUrl?.(bad), { kind: 'client-misconfigured' })
})

const consent = (
  tenant: string | undefined,
  scope: readonly string[],
  changes?: Partial<MicrosoftEndpoints>,
) =>
  microsoft(changes).adminConsentUrl?.({
    client: { ...client, credentialType: 'adminconsent', ...(tenant === undefined ? {} : { tenant }) },
    redirectUri: REDIRECT,
    state: 'nonce-2',
    scope,
  })

test('admin consent without a tenant of its own is version 1, for organizations', () => {
  const expected = `${LOGIN}/organizations/adminconsent?client_id=ms-client&redirect_uri=${REDIRECT_ENCODED}&state=nonce-2`
  assert.equal(consent(undefined, ['Mail.Read']), expected)
  assert.equal(consent('common', []), expected)
})

test('admin consent in a tenant is version 2.0 with .default, which alone covers app permissions', () => {
  const expected = `${LOGIN}/corp.example/v2.0/adminconsent?client_id=ms-client&redirect_uri=${REDIRECT_ENCODED}&state=nonce-2&scope=${GRAPH}.default`
  assert.equal(consent('corp.example', []), expected)
  assert.equal(consent('corp.example', ['Mail.Read', 'offline_access']), expected)
})

test("admin consent goes to the operator's address: version 2.0 is derived, its query kept", () => {
  assert.equal(
    consent('corp.example', [], { adminConsentUrl: 'http://127.0.0.1:9/x/{tenant}/adminconsent?a=1' }),
    `http://127.0.0.1:9/x/corp.example/v2.0/adminconsent?a=1&client_id=ms-client&redirect_uri=${REDIRECT_ENCODED}&state=nonce-2&scope=${GRAPH}.default`,
  )
  const fixed = { adminConsentUrl: 'http://127.0.0.1:9/{tenant}/v2.0/adminconsent' }
  assert.ok(
    consent('corp.example', [], fixed)?.startsWith('http://127.0.0.1:9/corp.example/v2.0/adminconsent?'),
  )
  assert.ok(consent(undefined, [], fixed)?.startsWith('http://127.0.0.1:9/organizations/v2.0/adminconsent?'))
})
