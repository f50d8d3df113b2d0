import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Secret } from '../../kit/secret.ts'

const USER_AGENT = 'Grantway-Webhooks/1'

/** What goes out: these bytes, with these headers. */
export interface PreparedBody {
  readonly body: Buffer
  readonly headers: { readonly [name: string]: string }
}

/**
 * Serializes an envelope once and signs the bytes that go out: the gzip bytes where it is compressed
 * (contract/webhooks.md 3). The attempt number is part of the body, so each attempt is prepared anew.
 */
export function prepareBody(
  envelope: object,
  { secret, compressed }: { readonly secret: Secret; readonly compressed: boolean },
): PreparedBody {
  const json = Buffer.from(JSON.stringify(envelope), 'utf8')
  const body = compressed ? gzipSync(json) : json
  return {
    body,
    headers: {
      'Content-Type': 'application/json',
      ...(compressed ? { 'Content-Encoding': 'gzip' } : {}),
      'User-Agent': USER_AGENT,
      'X-Nylas-Signature': createHmac('sha256', secret.open()).update(body).digest('hex'),
    },
  }
}
