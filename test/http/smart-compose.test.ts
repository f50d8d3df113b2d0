import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { grantRecord, type HttpApp, startHttpApp } from '../support/http-app.ts'

let app: HttpApp
let paths: readonly string[]

before(async () => {
  app = await startHttpApp()
  const grant = grantRecord({ applicationId: app.applicationId })
  await app.database.stores.grants.insert(grant)
  const messages = `/v3/grants/${grant.id}/messages`
  paths = [`${messages}/smart-compose`, `${messages}/m1/smart-compose`]
})
after(() => app.close())

test('looks at the prompt, and says that no model is configured', async () => {
  for (const path of paths) {
    for (const [body, status, error] of [
      [{}, 400, { type: 'prompt_required_error', message: 'prompt is required.' }],
      [{ prompt: '' }, 400, { type: 'prompt_required_error', message: 'prompt is required.' }],
      [{ prompt: 5 }, 422, { type: 'validation_error', message: 'prompt must be a string.' }],
      [
        { prompt: 'é'.repeat(1001) },
        422,
        { type: 'validation_error', message: 'prompt has at most 1000 characters.' },
      ],
      [
        { prompt: '👋'.repeat(1000) },
        400,
        {
          type: 'invalid_request_error',
          message: 'This server has no language model configured, so it cannot compose messages.',
        },
      ],
    ] as const) {
      const answer = await app.call('POST', path, body, { accept: 'text/event-stream' })
      assert.equal(answer.status, status)
      assert.deepEqual(answer.body, { request_id: answer.body.request_id, error })
    }
  }
})

test('refuses without a key, and other methods', async () => {
  for (const path of paths) {
    assert.equal((await app.call('POST', path, {}, { authorization: '' })).status, 401)
    assert.equal((await app.call('DELETE', path)).status, 405)
  }
})
