import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizeCall } from '../../core/ports/authorization.ts'
import { systemClock } from '../../kit/clock.ts'
import { Secret } from '../../kit/secret.ts'
import { createGoogleAuthorization } from './authorization.ts'
import type { GoogleEndpoints } from './endpoints.ts'

const noCall = () => Promise.reject(new Error('no call'))

const call: AuthorizeCall = {
  client: {
    credentialType: 'connector',
    clientId: 'g-client',
    clientSecret: new Secret('g-secret-1'),
    data: {},
  },
  redirectUri: 'https://mail.example/v3/connect/callback',
  state: 'nonce-1',
  codeChallenge: 'challenge-1',
  scope: [],
  includeGrantedScopes: false,
}
const google = (authorizeUrl = 'https://accounts.google.com/o/oauth2/v2/auth') => {
  const endpoints: GoogleEndpoints = {
    authorizeUrl,
    tokenUrl: '',
    revokeUrl: '',
    userinfoUrl: '',
    gmailUrl: '',
    calendarUrl: '',
    peopleUrl: '',
    adminUrl: '',
    pubsubUrl: '',
  }
  const http = { request: noCall, stream: noCall, close: () => Promise.resolve() }
  return createGoogleAuthorization({ endpoints, http, clock: systemClock })
}

test('the whole address: offline access, forced consent, identity scopes, S256', () => {
  assert.equal(
    google().authorizeUrl({ ...call, scope: ['gmail.readonly', 'email'] }),
    'https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=g-client' +
      '&redirect_uri=https%3A%2F%2Fmail.example%2Fv3%2Fconnect%2Fcallback' +
      '&scope=openid%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email' +
      '%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.profile' +
      '%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly' +
      '&state=nonce-1&code_challenge=challenge-1&code_challenge_method=S256&access_type=offline&prompt=consent',
  )
})

test('a hint and granted scopes are passed on only where they are asked for', () => {
  const url = new URL(
    google().authorizeUrl({ ...call, loginHint: 'ada@example.com', includeGrantedScopes: true }),
  )
  assert.equal(url.searchParams.get('login_hint'), 'ada@example.com')
  assert.equal(url.searchParams.get('include_granted_scopes'), 'true')
})

test("an operator's endpoint keeps its query; the client secret never goes into the address", () => {
  const url = google('http://127.0.0.1:4000/auth?hd=corp.example').authorizeUrl(call)
  assert.ok(url.startsWith('http://127.0.0.1:4000/auth?hd=corp.example&response_type=code&'), url)
  assert.ok(!url.includes('g-secret-1'))
})
