import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../kit/clock.ts'
import { Secret } from '../../kit/secret.ts'
import { createYahooAuthorization } from './authorization.ts'

const noCall = () => Promise.reject(new Error('no call'))

test('the whole address: identity scopes with the mail scope, hint, S256', () => {
  const yahoo = createYahooAuthorization({
    endpoints: {
      authorizeUrl: 'https://api.login.yahoo.com/oauth2/request_auth',
      tokenUrl: '',
      userinfoUrl: '',
      imap: { host: '', port: 993 },
      smtp: { host: '127.0.0.1', port: 465 },
    },
    http: { request: noCall, stream: noCall, close: () => Promise.resolve() },
    clock: systemClock,
  })
  assert.equal(
    yahoo.authorizeUrl({
      client: {
        credentialType: 'connector',
        clientId: 'y--',
        clientSecret: new Secret('y-secret-1'),
        data: {},
      },
      redirectUri: 'https://mail.example/v3/connect/callback',
      state: 'nonce-1',
      codeChallenge: 'challenge-1',
      scope: ['mail-w', 'openid'],
      loginHint: 'ada@yahoo.com',
      includeGrantedScopes: true,
    }),
    'https://api.login.yahoo.com/oauth2/request_auth?response_type=code&client_id=y--' +
      '&redirect_uri=https%3A%2F%2Fmail.example%2Fv3%2Fconnect%2Fcallback&scope=openid%20email%20profile%20mail-w' +
      '&state=nonce-1&code_challenge=challenge-1&code_challenge_method=S256&login_hint=ada%40yahoo.com',
  )
})
