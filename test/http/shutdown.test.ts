import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { startGrantway } from '../support/grantway-app.ts'

test('a request in flight is answered while the server stops, and a new one finds it gone', async () => {
  let arrived = () => {}
  const atProvider = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    onRequest: ({ url }) => {
      if (url.includes('/gmail/')) arrived()
    },
  })
  const app = await startGrantway(sandbox.endpoints)
  await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
  })
  const settings = { refresh_token: 'sandbox-refresh-token-ada' }
  const made = await app.call('POST', '/v3/connect/custom', { provider: 'google', settings })
  assert.equal(made.status, 201, made.text)

  sandbox.control.fail({ target: 'api', mode: 'slow', times: 1, delayMs: 1000 })
  const inFlight = app.call('GET', `/v3/grants/${made.body.data.id}/messages?limit=1`)
  await atProvider
  const stopped = app.stop()
  const answer = await inFlight
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.data.length, 1)
  await stopped
  await assert.rejects(app.call('GET', '/v3/applications'))
  await sandbox.stop()
})
