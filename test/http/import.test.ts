// Bulk import over HTTP on the whole product: what each row becomes.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { applicationId } from '../../src/contract/ids.ts'
import { counts, type ImportWorld, ndjson, newToken, startImportWorld } from '../support/import-world.ts'

const ADA = 'ada@sandbox.example'

let world: ImportWorld
before(async () => {
  world = await startImportWorld()
})
after(() => world.stop())
beforeEach(() => world.deleteGrants())

test('refuses without a key, before it reads the body', async () => {
  const answer = await world.send(
    ndjson([{ provider: 'google', email: ADA }]),
    '',
    'application/x-ndjson',
    'wrong',
  )
  assert.equal(answer.status, 401)
  assert.equal(answer.body.error.type, 'token.unauthorized_access')
})

test('keeps every field of a row, and finds the grant by its v2 account id', async () => {
  const id = randomUUID()
  const credentials = await world.app.call('GET', '/v3/connectors/google/creds')
  const row = {
    provider: 'google',
    email: 'Grace@Example.com',
    refresh_token: newToken(),
    scope: ['openid', 'gmail.modify'],
    credential_id: credentials.body.data[0].id,
    grant_id: id.toUpperCase(),
    account_id: 'v2-account-1',
    name: 'Grace',
    state: 's-1',
  }
  const answer = await world.send(ndjson([row]))
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    data: { rows: 1, created: 1, updated: 0, skipped: 0, failed: 0, dry_run: false, errors: [] },
  })
  const found = await world.app.call('GET', '/v3/grants?account_id=v2-account-1')
  const [{ created_at, updated_at, ...grant }] = found.body.data
  assert.ok(Math.abs(created_at - Date.now() / 1000) < 60 && updated_at === created_at)
  assert.deepEqual(grant, {
    id,
    provider: 'google',
    grant_status: 'valid',
    email: 'Grace@Example.com',
    name: 'Grace',
    scope: ['openid', 'https://www.googleapis.com/auth/gmail.modify'],
    state: 's-1',
    settings: {},
    credential_id: row.credential_id,
    account_id: 'v2-account-1',
  })
  assert.equal((await world.app.call('GET', '/v3/grants/external:v2-account-1')).body.data.id, id)
})

test('the first use of an imported grant refreshes its token', async () => {
  await world.load([
    { provider: 'google', email: ADA, refresh_token: world.sandbox.control.mintRefreshToken(ADA) },
  ])
  const { id } = await world.grantOf(ADA)
  const messages = await world.app.call('GET', `/v3/grants/${id}/messages?limit=1`)
  assert.equal(messages.status, 200, messages.text)
})

test('connect/custom of an imported token keeps the grant and fills in who it is', async () => {
  const refresh_token = world.sandbox.control.mintRefreshToken(ADA)
  await world.load([{ provider: 'google', email: ADA, refresh_token, account_id: 'v2-ada' }])
  const { id } = await world.grantOf(ADA)
  const again = await world.app.call('POST', '/v3/connect/custom', {
    provider: 'google',
    settings: { refresh_token },
  })
  assert.equal(again.status, 201, again.text)
  assert.equal(again.body.data.id, id)
  assert.equal(again.body.data.account_id, 'v2-ada')
  assert.ok(again.body.data.provider_user_id)
})

test('a placeholder is invalid, says what to do, and keeps its id when it is authenticated', async () => {
  const id = randomUUID()
  await world.load([{ provider: 'google', email: ADA, grant_id: id, account_id: 'v2-placeholder' }])
  const placeholder = await world.grantOf(ADA)
  assert.equal(placeholder.grant_status, 'invalid')
  assert.equal(placeholder.reason.code, 'not_authenticated')
  assert.match(placeholder.reason.advice, /connect\/custom/)
  const used = await world.app.call('GET', `/v3/grants/${id}/messages`)
  assert.equal(used.status, 401)
  const settings = { refresh_token: world.sandbox.control.mintRefreshToken(ADA) }
  const connected = await world.app.call('POST', '/v3/connect/custom', { provider: 'google', settings })
  assert.equal(connected.body.data.id, id)
  assert.equal(connected.body.data.grant_status, 'valid')
  assert.equal(connected.body.data.account_id, 'v2-placeholder')
  assert.equal((await world.app.call('GET', `/v3/grants/${id}/messages`)).status, 200)
})

test('the same rows again are skipped, other secrets of the same mailboxes are stored', async () => {
  const imap = (password: string) => ({
    provider: 'imap',
    email: 'imap@corp.example',
    settings: { imap_password: password, imap_host: 'imap.corp.example', imap_port: '993' },
  })
  const rows = [
    { provider: 'google', email: 'a@example.com', refresh_token: newToken() },
    imap('first'),
    { provider: 'icloud', email: 'i@icloud.com', settings: { password: 'pw-of-app' } },
    { provider: 'virtual-calendar', email: 'room-1' },
    { provider: 'google', email: 'placeholder@example.com' },
  ]
  assert.deepEqual(counts(await world.load(rows)), [5, 5, 0, 0, 0])
  assert.deepEqual(counts(await world.load(rows)), [5, 0, 0, 5, 0])
  const before = await world.grantOf('imap@corp.example')
  assert.deepEqual(before.settings, {
    email: 'imap@corp.example',
    imap_username: 'imap@corp.example',
    imap_host: 'imap.corp.example',
    imap_port: 993,
  })
  assert.equal((await world.grantOf('room-1')).grant_status, 'valid')
  const changed = [{ ...rows[0], refresh_token: newToken() }, imap('second')]
  assert.deepEqual(counts(await world.load(changed)), [2, 0, 2, 0, 0])
  assert.deepEqual(counts(await world.load(changed)), [2, 0, 0, 2, 0])
  assert.equal((await world.grantOf('imap@corp.example')).id, before.id)
  // The first token is known as the grant's own, superseded: it never comes back.
  assert.deepEqual(counts(await world.load([rows[0] ?? {}])), [1, 0, 0, 1, 0])
})

test('a dead grant lives again with a new token', async () => {
  const row = { provider: 'google', email: ADA, refresh_token: world.sandbox.control.mintRefreshToken(ADA) }
  await world.load([row])
  const { id } = await world.grantOf(ADA)
  world.sandbox.control.revokeToken(row.refresh_token)
  assert.equal((await world.app.call('GET', `/v3/grants/${id}/messages`)).status, 401)
  assert.equal((await world.grantOf(ADA)).grant_status, 'invalid')
  assert.deepEqual(counts(await world.load([row])), [1, 0, 0, 1, 0])
  const fresh = { ...row, refresh_token: world.sandbox.control.mintRefreshToken(ADA) }
  assert.deepEqual(counts(await world.load([fresh])), [1, 0, 1, 0, 0])
  assert.equal((await world.grantOf(ADA)).grant_status, 'valid')
  assert.equal((await world.app.call('GET', `/v3/grants/${id}/messages`)).status, 200)
})

test('repeats inside one file follow the same rules, in its order', async () => {
  const first = { provider: 'google', email: 'dup@example.com', refresh_token: newToken() }
  const second = { ...first, email: 'DUP@example.com', refresh_token: newToken() }
  const other = { ...first, email: 'other@example.com' }
  const data = await world.load([first, first, second, first, other])
  assert.deepEqual(counts(data), [5, 1, 1, 2, 1])
  assert.match(data.errors[0].error.message, /belongs to a grant of another address/)
  assert.equal(data.errors[0].line, 5)
})

test('a taken id is refused with one text, whoever owns it', async () => {
  const { services } = world.app.application
  const other = await services.applications.create({ name: 'Other' })
  const key = (await services.apiKeys.create(applicationId(other.id), { name: 'k' })).value
  await fetch(`${world.app.url}/v3/connectors`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'virtual-calendar' }),
  })
  const foreign = randomUUID()
  const theirs = await world.send(
    ndjson([{ provider: 'virtual-calendar', email: 'theirs', grant_id: foreign, account_id: 'acc' }]),
    '',
    'application/x-ndjson',
    key,
  )
  assert.equal(theirs.body.data.created, 1)
  const own = randomUUID()
  await world.load([{ provider: 'virtual-calendar', email: 'mine', grant_id: own, account_id: 'own-acc' }])
  const row = { provider: 'google', email: 'new@example.com', refresh_token: newToken() }
  const said = [
    await world.refusal({ ...row, grant_id: foreign }),
    await world.refusal({ ...row, grant_id: own }),
  ]
  assert.deepEqual(said, ['grant_id is taken by another grant', 'grant_id is taken by another grant'])
  assert.equal(await world.refusal({ ...row, account_id: 'own-acc' }), 'account_id is taken by another grant')
  // An account id is the application's own: another one may have the same.
  assert.deepEqual(counts(await world.load([{ ...row, account_id: 'acc' }])), [1, 1, 0, 0, 0])
  assert.match(
    await world.refusal({ ...row, refresh_token: newToken(), grant_id: randomUUID() }),
    /has a grant already/,
  )
})

test('takes the names of Nylas v2', async () => {
  const rows = [
    { provider: 'gmail', email_address: 'v2-a@example.com', settings: { google_refresh_token: newToken() } },
    { provider: 'office365', email_address: 'v2-b@example.com', microsoft_refresh_token: newToken() },
    { provider: 'exchange', email: 'v2-c@example.com', settings: { microsoft_refresh_token: newToken() } },
    {
      provider: 'outlook',
      email: 'v2-d@example.com',
      refresh_token: newToken(),
      scopes: 'email.modify,calendar',
    },
    { provider: 'yahoo', email: 'v2-e@yahoo.example', settings: { password: 'app-password' } },
    {
      provider: 'imap',
      email: 'v2-f@corp.example',
      reauth_account_id: 'v2-f',
      settings: {
        imap_host: 'imap.corp.example',
        imap_port: 993,
        imap_username: 'v2-f@corp.example',
        imap_password: 'pw',
        smtp_host: 'smtp.corp.example',
        smtp_port: 465,
        ssl_required: true,
      },
    },
  ]
  const data = await world.load(rows)
  assert.deepEqual(counts(data), [6, 6, 0, 0, 0], JSON.stringify(data.errors))
  assert.equal((await world.grantOf('v2-a@example.com')).provider, 'google')
  assert.equal((await world.grantOf('v2-b@example.com')).provider, 'microsoft')
  assert.equal((await world.grantOf('v2-c@example.com')).provider, 'microsoft')
  assert.deepEqual((await world.grantOf('v2-d@example.com')).scope, ['openid'])
  const yahoo = await world.grantOf('v2-e@yahoo.example')
  assert.equal(yahoo.provider, 'imap')
  assert.equal(yahoo.settings.imap_host, 'imap.mail.yahoo.com')
  assert.equal((await world.grantOf('v2-f@corp.example')).account_id, 'v2-f')
})

test('keeps the tenant of a microsoft grant, and refuses one where it means nothing', async () => {
  const row = {
    provider: 'microsoft',
    email: 'm@example.com',
    refresh_token: newToken(),
    tenant: 'corp.example',
  }
  await world.load([row])
  assert.deepEqual((await world.grantOf('m@example.com')).settings, { tenant: 'corp.example' })
  assert.match(
    await world.refusal({ ...row, provider: 'google', refresh_token: newToken() }),
    /tenant is not used/,
  )
  assert.match(
    await world.refusal({ ...row, email: 'x@example.com', tenant: 'a/b', refresh_token: newToken() }),
    /tenant/,
  )
})

test('reads CSV with dotted names, quoted line ends and empty fields', async () => {
  const csv =
    'provider,email,refresh_token,scope,name,settings.imap_host,settings.imap_password\r\n' +
    `google,c1@example.com,${newToken()},openid email,"two\r\nlines, one name",,\r\n` +
    'imap,c2@example.com,,,,imap.example.com,"p,""w"""\r\n' +
    'google,c3@example.com\r\n'
  const { body } = await world.send(csv, '', 'text/csv')
  assert.deepEqual(counts(body.data), [3, 2, 0, 0, 1])
  assert.equal(body.data.errors[0].line, 5)
  const first = await world.grantOf('c1@example.com')
  assert.deepEqual(first.scope, ['openid', 'https://www.googleapis.com/auth/userinfo.email'])
  assert.equal(first.name, 'two\r\nlines, one name')
  assert.equal((await world.grantOf('c2@example.com')).settings.imap_host, 'imap.example.com')
  const headless = await world.send('google,x@example.com,tok\n', '', 'text/csv')
  assert.equal(headless.status, 400)
  assert.match(headless.body.error.message, /no column provider/)
})

test('a dry run tells what would be and writes nothing', async () => {
  const known = { provider: 'google', email: 'known@example.com', refresh_token: newToken() }
  await world.load([known])
  const fresh = { provider: 'google', email: 'fresh@example.com', refresh_token: newToken() }
  const changed = { ...known, refresh_token: newToken() }
  const rows = [known, fresh, fresh, { provider: 'google' }]
  assert.deepEqual(counts(await world.load(rows, '?dry_run=true')), [4, 1, 0, 2, 1])
  assert.deepEqual(counts(await world.load([changed], '?dry_run=true')), [1, 0, 1, 0, 0])
  assert.equal((await world.app.call('GET', '/v3/grants')).body.data.length, 1)
  assert.deepEqual(counts(await world.load([fresh, changed])), [2, 1, 1, 0, 0])
  const both = await world.send('', '?dry_run=true&verify=now')
  assert.equal(both.status, 400)
})

test('events are sent only when asked for', async () => {
  const { outbox } = world.app.application.database.stores
  const caller = applicationId((await world.app.call('GET', '/v3/applications')).body.data.application_id)
  const triggersOf = async (email: string) =>
    (await outbox.list(caller, 10_000))
      .filter((event) => (event.data['object'] as { email?: string }).email === email)
      .map((event) => event.trigger)
  const quiet = { provider: 'google', email: 'quiet@example.com', refresh_token: newToken() }
  await world.load([quiet, { ...quiet, refresh_token: newToken() }])
  assert.deepEqual(await triggersOf('quiet@example.com'), [])
  const loud = { ...quiet, email: 'loud@example.com', refresh_token: newToken() }
  await world.load([loud, { ...loud, refresh_token: newToken() }], '?events=true')
  assert.deepEqual(await triggersOf('loud@example.com'), ['grant.created', 'grant.updated'])
})

test('verify=now asks the provider, and the account must be the one of the row', async () => {
  const id = randomUUID()
  const row = { provider: 'google', email: ADA, refresh_token: world.sandbox.control.mintRefreshToken(ADA) }
  const wrong = { ...row, email: 'bob@example.com' }
  assert.match(await world.refusal(wrong, '?verify=now'), /email is not the address of the account/)
  const kept = { ...row, grant_id: id, account_id: 'now-1' }
  assert.deepEqual(counts(await world.load([kept], '?verify=now')), [1, 1, 0, 0, 0])
  const grant = await world.grantOf(ADA)
  assert.equal(grant.id, id)
  assert.equal(grant.account_id, 'now-1')
  assert.ok(grant.provider_user_id)
  assert.deepEqual(counts(await world.load([kept], '?verify=now')), [1, 0, 0, 1, 0])
  assert.match(
    await world.refusal(
      { provider: 'google', email: 'dead@example.com', refresh_token: 'dead' },
      '?verify=now',
    ),
    /refresh token/,
  )
})

test('a token that was sent to the provider already is not stored as an untouched one', async () => {
  const row = { provider: 'google', email: ADA, refresh_token: world.sandbox.control.mintRefreshToken(ADA) }
  // Exchanged and stored as pending; then the row's address turned out to be another one's.
  await world.refusal({ ...row, email: 'bob@example.com' }, '?verify=now')
  assert.deepEqual(counts(await world.load([row])), [1, 1, 0, 0, 0])
  assert.ok((await world.grantOf(ADA)).provider_user_id, 'the provider was asked who it is')
})

test('writes the audit log: one entry per batch, with counts and no secret', async () => {
  const secret = newToken()
  await world.load([{ provider: 'google', email: 'audited@example.com', refresh_token: secret }])
  const [entry] = await world.app.application.database.stores.audit.list(
    { applicationId: null, action: 'grants.imported' },
    { limit: 1 },
  )
  assert.deepEqual(entry?.detail, { created: 1, updated: 0, skipped: 0, failed: 0 })
  assert.match(entry.actor, /^key:/)
  assert.ok(!JSON.stringify(entry).includes(secret))
})

test('refuses other content types and an empty body', async () => {
  assert.equal((await world.send('{}', '', 'application/json')).status, 415)
  const empty = await fetch(`${world.app.url}/v3/grants/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.app.key}` },
  })
  assert.equal(empty.status, 400)
})
