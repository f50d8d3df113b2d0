import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operatorMailer } from '../../src/app/operator-mailer.ts'
import { StartError } from '../../src/app/start-error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { startSmtpSink } from '../support/smtp-sink.ts'

const SENDER = { GRANTWAY_SMTP_FROM: 'grantway@operator.example' }

test('refuses one of its two variables without the other, and is off without both', () => {
  assert.equal(operatorMailer(loadConfig({})), null)
  assert.throws(() => operatorMailer(loadConfig(SENDER)), StartError)
  assert.throws(() => operatorMailer(loadConfig({ GRANTWAY_SMTP_URL: 'smtps://h' })), StartError)
})

test('sends nothing over a connection that can not be encrypted, unless that is allowed', async () => {
  const sink = await startSmtpSink()
  try {
    const address = { GRANTWAY_SMTP_URL: `smtp://user:planted@127.0.0.1:${sink.port}`, ...SENDER }
    const mailer = operatorMailer(loadConfig(address))
    assert.ok(mailer)
    const message = { to: ['ops@customer.example'], subject: 's', text: 't' }
    await assert.rejects(mailer.send(message, new AbortController().signal), (error: unknown) => {
      assert.ok(error instanceof ProviderError)
      assert.ok(!error.message.includes('planted'))
      return true
    })
    assert.deepEqual(sink.messages, [])
  } finally {
    await sink.stop()
  }
})
