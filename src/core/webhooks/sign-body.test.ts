import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { applicationId, grantId } from '../../contract/ids.ts'
import { Secret } from '../../kit/secret.ts'
import { envelopeOf } from './envelope.ts'
import { prepareBody } from './sign-body.ts'

const secret = new Secret('s3cret-ü')
const event = {
  id: 'e1',
  applicationId: applicationId('app'),
  grantId: grantId('g1'),
  trigger: 'message.send_failed',
  source: '/nylas/send',
  data: { grant_id: 'g1', object: { subject: 'Grüße' } },
  createdAt: 1_767_225_600,
}

test('puts an event into the documented envelope', () => {
  assert.deepEqual(envelopeOf(event, 2), {
    specversion: '1.0',
    type: 'message.send_failed',
    source: '/nylas/send',
    id: 'e1',
    time: 1_767_225_600,
    webhook_delivery_attempt: 2,
    data: { application_id: 'app', grant_id: 'g1', object: { subject: 'Grüße' } },
  })
})

test('signs the JSON bytes in lower-case hex, keyed with the UTF-8 bytes of the secret', () => {
  // Computed once with: openssl dgst -sha256 -hmac 's3cret-ü' over {"a":"ü"}
  const { body, headers } = prepareBody({ a: 'ü' }, { secret, compressed: false })
  assert.equal(body.toString('utf8'), '{"a":"ü"}')
  assert.deepEqual(headers, {
    'Content-Type': 'application/json',
    'User-Agent': 'Grantway-Webhooks/1',
    'X-Nylas-Signature': 'a706b960c1d2048426190de7436df20ff39853def63456d6ff645fc58325a3a6',
  })
})

test('signs the gzip bytes where it is compressed', () => {
  const { body, headers } = prepareBody(envelopeOf(event, 1), { secret, compressed: true })
  assert.deepEqual(JSON.parse(gunzipSync(body).toString('utf8')), envelopeOf(event, 1))
  assert.equal(headers['Content-Encoding'], 'gzip')
  assert.equal(headers['X-Nylas-Signature'], createHmac('sha256', 's3cret-ü').update(body).digest('hex'))
})
