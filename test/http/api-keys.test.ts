import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApiKeyService } from '../../src/core/api-keys/api-keys.ts'
import { AppError } from '../../src/kit/app-error.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { startHttpApp, type HttpApp } from '../support/http-app.ts'

async function withApp(work: (app: HttpApp) => Promise<void>) {
  const app = await startHttpApp()
  try {
    await work(app)
  } finally {
    await app.close()
  }
}

test('stores a key as its hash only and tells its id as the actor', () =>
  withApp(async (app) => {
    const { record, value } = await app.services.apiKeys.create(app.applicationId, { name: 'k' })
    assert.match(value, /^[A-Za-z0-9_-]{43}$/)
    assert.match(record.hash, /^[0-9a-f]{64}$/)
    assert.ok(!JSON.stringify(await app.services.apiKeys.list(app.applicationId)).includes(value))
    assert.deepEqual(await app.services.apiKeys.authenticate(value), {
      applicationId: app.applicationId,
      actor: `key:${record.id}`,
    })
  }))

test('refuses a revoked key at once, also one it has just seen', () =>
  withApp(async (app) => {
    const { record, value } = await app.services.apiKeys.create(app.applicationId, { name: 'k' })
    const headers = { authorization: `Bearer ${value}` }
    assert.equal((await app.call('GET', '/v3/grants', undefined, headers)).status, 200)
    assert.equal(await app.services.apiKeys.revoke(record.id), true)
    assert.equal((await app.call('GET', '/v3/grants', undefined, headers)).status, 401)
    assert.equal(await app.services.apiKeys.revoke(record.id), false)
  }))

test('refuses within five seconds a key that another process revoked', () =>
  withApp(async (app) => {
    const another = createApiKeyService({ database: app.database, clock: app.clock, ids: randomIds })
    const { record, value } = await another.create(app.applicationId, { name: 'k' })
    assert.ok(await app.services.apiKeys.authenticate(value))
    await another.revoke(record.id)
    app.clock.advance(5_000)
    assert.equal(await app.services.apiKeys.authenticate(value), null)
  }))

test('answers 423 for every key of a blocked application', () =>
  withApp(async (app) => {
    const record = await app.database.stores.applications.find(app.applicationId)
    assert.ok(record)
    await app.database.stores.applications.update({ ...record, blocked: true })
    const answer = await app.call('GET', '/v3/grants')
    assert.deepEqual([answer.status, answer.body.error.type], [423, 'api.resource_blocked'])
  }))

test('takes a given key of at least 32 printable characters, once', () =>
  withApp(async (app) => {
    const value = 'k'.repeat(32)
    const given = await app.services.apiKeys.create(app.applicationId, { name: 'given', value })
    assert.equal(given.value, value)
    for (const bad of [value, 'k'.repeat(31), `${value} k`, `${value}é`, 'k'.repeat(513)]) {
      await assert.rejects(
        app.services.apiKeys.create(app.applicationId, { name: 'x', value: bad }),
        AppError,
      )
    }
  }))
