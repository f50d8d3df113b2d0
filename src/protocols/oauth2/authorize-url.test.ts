import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildAuthorizeUrl, joinScopes } from './authorize-url.ts'

test('adds parameters in order, with spaces as %20 and plus signs kept', () => {
  assert.equal(
    buildAuthorizeUrl('https://idp.example/auth', {
      scope: 'openid mail-r',
      redirect_uri: 'https://app.example/v3/connect/callback',
      login_hint: 'ada+x@example.com',
      prompt: undefined,
    }),
    'https://idp.example/auth?scope=openid%20mail-r&redirect_uri=https%3A%2F%2Fapp.example%2Fv3%2Fconnect%2Fcallback&login_hint=ada%2Bx%40example.com',
  )
})

test('keeps the query of the endpoint, replaces a parameter of the same name, drops a fragment', () => {
  assert.equal(
    buildAuthorizeUrl('https://idp.example/auth?policy=a%20b&state=old&plus=1%2B1#top', { state: 'n1' }),
    'https://idp.example/auth?policy=a%20b&state=n1&plus=1%2B1',
  )
})

test('no value can add a parameter of its own', () => {
  const url = new URL(
    buildAuthorizeUrl('https://idp.example/auth', { login_hint: 'a&prompt=none#x\r\ny', state: 's' }),
  )
  assert.deepEqual([...url.searchParams.keys()], ['login_hint', 'state'])
  assert.equal(url.searchParams.get('login_hint'), 'a&prompt=none#x\r\ny')
})

test('joins scopes without doubles', () => {
  assert.equal(joinScopes(['openid', 'email'], ['email', 'mail-r mail-w', '']), 'openid email mail-r mail-w')
})
