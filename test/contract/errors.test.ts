import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appError, ERRORS, type ErrorKey } from '../../src/contract/errors.ts'
import type { DetectService } from '../../src/core/ports/services.ts'
import { AppError } from '../../src/kit/app-error.ts'
import { startHttpApp } from '../support/http-app.ts'

const keys = Object.keys(ERRORS) as ErrorKey[]

test('every error of the catalogue is a 4xx or 5xx with a public text and a meaning', () => {
  for (const key of keys) {
    const { type, status, message, meaning } = ERRORS[key]
    assert.match(type, /^([a-z_]+(\.[a-z_]+)?|700\d\d)$/, key)
    assert.ok(status >= 400 && status < 600, key)
    assert.ok(message.length > 10 && meaning.length > 10, key)
    assert.ok(appError(key) instanceof AppError)
  }
})

test('every error of the catalogue goes out in the envelope with its status, and its detail does not', async () => {
  let thrown: unknown
  const detect: DetectService = { detect: () => Promise.reject(thrown as Error) }
  const app = await startHttpApp({ services: { detect } })
  try {
    for (const key of keys) {
      thrown = appError(key, undefined, {
        detail: 'private detail',
        cause: new Error('private cause'),
        providerError: { error: 'invalid_grant' },
        retryAfterSeconds: 1.2,
        fields: { reason: { code: 'c' }, type: 'overruled' },
      })
      const answer = await app.call('POST', '/v3/providers/detect?email=a@b.example')
      assert.equal(answer.status, ERRORS[key].status, key)
      assert.equal(answer.headers.get('content-type'), 'application/json')
      assert.equal(answer.headers.get('retry-after'), '2')
      assert.deepEqual(answer.body, {
        request_id: answer.headers.get('x-request-id'),
        error: {
          reason: { code: 'c' },
          type: ERRORS[key].type,
          message: ERRORS[key].message,
          provider_error: { error: 'invalid_grant' },
        },
      })
    }
  } finally {
    await app.close()
  }
})
