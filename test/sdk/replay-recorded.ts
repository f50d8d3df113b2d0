import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { LanguageWorld } from './language-world.ts'

interface Answer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any
}

/** Values of one replay, by the names in the recording. */
type Values = Map<string, string>

const EXPECTED: { readonly [name: string]: (answer: Answer, values: Values) => void } = {
  custom_authentication: ({ status, body }, values) => {
    assert.deepEqual([status, body.data.id], [201, values.get('grant_id')])
  },
  refresh_provider_token: isToken,
  exchange(answer, values) {
    isToken(answer, values)
    values.set('refresh_token', answer.body.refresh_token)
  },
  pkce_exchange: isToken,
  refresh(answer, values) {
    isToken(answer, values)
    values.set('access_token', answer.body.access_token).set('id_token', answer.body.id_token)
  },
  id_token_info: isTokenInfo,
  access_token_info: isTokenInfo,
  me: isGrant,
  revoke: ({ status, body }) => assert.deepEqual([status, Object.keys(body)], [200, ['request_id']]),
  revoke_again: isRefusal('invalid_token'),
  refresh_revoked: isRefusal('invalid_grant'),
  exchange_used: isRefusal('invalid_grant'),
  detect: ({ status, body }) => assert.deepEqual([status, body.data.provider], [200, 'google']),
  grants_list: ({ status, body }, values) =>
    assert.deepEqual([status, body.data.length, body.data[0].id], [200, 1, values.get('grant_id')]),
  grants_find: isGrant,
  webhook_create({ status, body }, values) {
    assert.deepEqual([status, body.data.trigger_types], [200, ['grant.created', 'grant.expired']])
    values.set('webhook_id', body.data.id)
  },
  webhook_list: ({ status, body }, values) =>
    assert.deepEqual([status, body.data[0].id], [200, values.get('webhook_id')]),
  webhook_find: ({ status, body }, values) =>
    assert.deepEqual([status, body.data.webhook_url], [200, values.get('webhook_url')]),
  webhook_update: ({ status, body }) => assert.deepEqual([status, body.data.description], [200, 'changed']),
  webhook_rotate: ({ status, body }) =>
    assert.deepEqual([status, body.data.webhook_secret.length], [200, 32]),
  webhook_destroy: ({ status, body }) => assert.deepEqual([status, 'request_id' in body], [200, true]),
  webhook_list_empty: ({ status, body }) => assert.deepEqual([status, body.data], [200, []]),
}

/**
 * Sends what an official SDK was recorded to send, each on a connection of its own, and checks every answer.
 * @returns the names of the calls, in their order
 */
export async function replayRecorded(world: LanguageWorld, recording: string): Promise<readonly string[]> {
  const text = readFileSync(join(import.meta.dirname, 'recorded', recording), 'utf8')
  const environment = await world.environment()
  const verifier = randomUUID()
  const hex = createHash('sha256').update(verifier).digest('hex')
  const challenge = Buffer.from(hex).toString('base64').replaceAll('=', '')
  const { host, port } = new URL(world.app.url)
  const values: Values = new Map([
    ['api_key', world.app.key],
    ['client_id', world.clientId],
    ['grant_id', world.grantId],
    ['provider_token', world.refreshToken],
    ['webhook_url', environment['WEBHOOK_URL'] ?? ''],
    ['code', environment['CODE'] ?? ''],
    ['pkce_code', await world.code(challenge)],
    ['verifier', verifier],
    ['host', host],
  ])
  const names: string[] = []
  for (const part of text.split('\n### ').slice(1)) {
    const end = part.indexOf('\n')
    const name = part.slice(0, end)
    const [head = '', body = ''] = filled(part.slice(end + 1).trimEnd(), values).split('\n\n')
    const lines = head.replace('{{length}}', String(Buffer.byteLength(body))).split('\n')
    assert.ok(!lines.join().includes('{{'), `${name}: ${lines.join()}`)
    const answer = await send(Number(port), `${lines.join('\r\n')}\r\n\r\n${body}`)
    const check = EXPECTED[name]
    assert.ok(check, name)
    try {
      check(answer, values)
    } catch (error) {
      throw new Error(`${recording}: ${name}: ${JSON.stringify(answer)}`, { cause: error })
    }
    names.push(name)
  }
  return names
}

function filled(text: string, values: Values): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values.get(name) ?? whole)
}

/** Writes exact bytes and reads one answer, also where the connection is kept. */
function send(port: number, request: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    let got = Buffer.alloc(0)
    socket.setTimeout(20_000, () => socket.destroy(new Error('no whole answer')))
    socket.on('error', reject)
    socket.on('data', (part) => {
      got = Buffer.concat([got, part])
      const answer = parsed(got)
      if (!answer) return
      socket.destroy()
      resolve(answer)
    })
    socket.on('close', () => reject(new Error(`closed after ${got.toString('latin1')}`)))
  })
}

function parsed(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.subarray(0, end).toString('latin1')
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim()
  const rest = bytes.subarray(end + 4)
  const length = header('content-length')
  const body = length === undefined ? joinedChunks(rest) : rest.subarray(0, Number(length))
  if (!body || (length !== undefined && body.length < Number(length))) return undefined
  const plain = header('content-encoding') === 'gzip' ? gunzipSync(body) : body
  // Ruby compares the content type as a whole.
  assert.equal(header('content-type'), 'application/json')
  return { status: Number(head.split(' ')[1]), body: JSON.parse(plain.toString('utf8')) }
}

function joinedChunks(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}

function isToken({ status, body }: Answer, values: Values): void {
  assert.equal(status, 200)
  assert.match(body.access_token, /^gw_at_/)
  assert.deepEqual([body.grant_id, body.expires_in], [values.get('grant_id'), 3600])
}

function isTokenInfo({ status, body }: Answer, values: Values): void {
  assert.equal(status, 200)
  assert.deepEqual([body.data.aud, body.data.sub], [values.get('client_id'), values.get('grant_id')])
}

function isGrant({ status, body }: Answer, values: Values): void {
  assert.deepEqual([status, body.data.id], [200, values.get('grant_id')])
}

function isRefusal(error: string) {
  return ({ status, body }: Answer) => {
    assert.deepEqual([status, body.error, body.error_code], [400, error, 400])
    assert.equal(typeof body.error_description, 'string')
    assert.match(body.error_uri, /^https:/)
  }
}
