import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../kit/clock.ts'
import { Secret } from '../../kit/secret.ts'
import { createZoomAuthorization } from './authorization.ts'

const noCall = () => Promise.reject(new Error('no call'))

test('the whole address: no scope and no hint, S256', () => {
  const zoom = createZoomAuthorization({
    endpoints: { authorizeUrl: 'https://zoom.us/oauth/authorize', tokenUrl: '', apiUrl: '' },
    http: { request: noCall, stream: noCall, close: () => Promise.resolve() },
    clock: systemClock,
  })
  assert.equal(
    zoom.authorizeUrl({
      client: {
        credentialType: 'connector',
        clientId: 'z-1',
        clientSecret: new Secret('z-secret-1'),
        data: {},
      },
      redirectUri: 'https://mail.example/v3/connect/callback',
      state: 'nonce-1',
      codeChallenge: 'challenge-1',
      scope: ['user:read:user'],
      loginHint: 'ada@zoom.example',
      includeGrantedScopes: true,
    }),
    'https://zoom.us/oauth/authorize?response_type=code&client_id=z-1' +
      '&redirect_uri=https%3A%2F%2Fmail.example%2Fv3%2Fconnect%2Fcallback' +
      '&state=nonce-1&code_challenge=challenge-1&code_challenge_method=S256',
  )
})
