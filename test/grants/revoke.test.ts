import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { startGrantway } from '../support/grantway-app.ts'

const CONNECTOR = {
  provider: 'google',
  settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
}

test('a deleted grant is revoked at the provider, but not while another grant is of the same account', async (t) => {
  let revocations = 0
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    onRequest: ({ url }) => {
      if (new URL(url).pathname.endsWith('/revoke')) revocations += 1
    },
  })
  t.after(() => sandbox.stop())
  const app = await startGrantway(sandbox.endpoints)
  t.after(() => app.stop())
  const { services } = app.application
  const other = await services.applications.create({ name: 'Other' })
  const { value: otherKey } = await services.apiKeys.create(other.id, { name: 'test' })
  const asOther = { authorization: `Bearer ${otherKey}` }
  const connect = async (headers = {}) => {
    await app.call('POST', '/v3/connectors', CONNECTOR, headers)
    const settings = { refresh_token: sandbox.control.mintRefreshToken('ada@sandbox.example') }
    const made = await app.call('POST', '/v3/connect/custom', { provider: 'google', settings }, headers)
    assert.equal(made.status, 201, made.text)
    return made.body.data.id as string
  }
  const mine = await connect()
  const theirs = await connect(asOther)

  assert.equal((await app.call('DELETE', `/v3/grants/${mine}`)).status, 200)
  assert.equal(revocations, 0)
  const read = await app.call('GET', `/v3/grants/${theirs}/messages?limit=1`, undefined, asOther)
  assert.equal(read.status, 200, read.text)

  assert.equal((await app.call('DELETE', `/v3/grants/${theirs}`, undefined, asOther)).status, 200)
  assert.equal(revocations, 1)
})
