// Bulk import over HTTP on the whole product: what is said about rows that fail.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { counts, type ImportWorld, newToken, startImportWorld } from '../support/import-world.ts'

let world: ImportWorld
before(async () => {
  world = await startImportWorld()
})
after(() => world.stop())
beforeEach(() => world.deleteGrants())

const WRONG: readonly [row: object, said: RegExp][] = [
  [{ email: 'x@example.com', refresh_token: 't' }, /provider is required/],
  [{ provider: 'google', refresh_token: 't' }, /email is required/],
  [{ provider: 'nope', email: 'x@example.com', refresh_token: 't' }, /provider must be one of/],
  [{ provider: 'exchange', email: 'x@example.com', settings: { password: 'p' } }, /does not speak ews yet/],
  [{ provider: 'zoom', email: 'x@example.com', refresh_token: 't' }, /Connector not found for provider zoom/],
  [{ provider: 'google', email: 'no address', refresh_token: 't' }, /email must be an email address/],
  [{ provider: 'google', email: 7, refresh_token: 't' }, /email must be a string/],
  [{ provider: 'google', email: 'x@example.com', email_address: 'y@example.com' }, /email.* differ/],
  [{ provider: 'google', email: 'x@example.com', refresh_token: 'a\u0000b' }, /refresh_token contains/],
  [
    { provider: 'google', email: 'x@example.com', refresh_token: 'a', google_refresh_token: 'b' },
    /given twice/,
  ],
  [{ provider: 'google', email: 'x@example.com', refreshToken: 'secret-value' }, /refreshToken is no field/],
  [{ provider: 'google', email: 'x@example.com', settings: 'text' }, /settings must be an object/],
  [{ provider: 'google', email: 'x@example.com', grant_id: 'no-uuid' }, /grant_id must be a UUID/],
  [{ provider: 'google', email: 'x@example.com', refresh_token: 't', scope: [1] }, /scope must be a list/],
  [
    { provider: 'google', email: 'x@example.com', refresh_token: 't', state: 's'.repeat(300) },
    /state is longer/,
  ],
  [
    { provider: 'google', email: 'x@example.com', refresh_token: 't', credential_id: 'nobody' },
    /credential_id names no credential/,
  ],
  [{ provider: 'imap', email: 'x@example.com', settings: { imap_password: 'p' } }, /imap_host is required/],
  [
    {
      provider: 'imap',
      email: 'x@example.com',
      settings: {
        imap_username: 'y@example.com',
        email: 'y@example.com',
        imap_password: 'p',
        imap_host: 'h.example',
      },
    },
    /email is not the address of settings/,
  ],
]

test('says of each wrong row which field is wrong, never the secret', async () => {
  for (const [row, said] of WRONG) {
    const message = await world.refusal(row)
    assert.match(message, said, JSON.stringify(row))
    assert.ok(!message.includes('secret-value'))
  }
  assert.deepEqual((await world.app.call('GET', '/v3/grants')).body.data, [])
})

test('a wrong row harms no other, and lines are counted as an editor does', async () => {
  const good = (email: string) => JSON.stringify({ provider: 'google', email, refresh_token: newToken() })
  const body = `\uFEFF${good('l1@example.com')}\r\n\r\nnot json\n[1]\n${good('l5@example.com')}`
  const { body: answer } = await world.send(body)
  assert.deepEqual(counts(answer.data), [4, 2, 0, 0, 2])
  assert.deepEqual(
    answer.data.errors.map((failure: { line: number }) => failure.line),
    [3, 4],
  )
})
