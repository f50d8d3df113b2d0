// Mailbox passwords go into the server as users run it, with a real Dovecot and Postfix behind it, right ones and wrong
// ones. None may come out.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addressOf, PASSWORDS } from '../providers/imap-world.ts'
import { type MailProcess, mailProcess } from '../sdk/mail-process.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { logKeeper } from '../support/log-keeper.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { canaryWatch } from './canary-watch.ts'

const watch = canaryWatch()
let world: TestDovecot
let oauth: TestOAuthServer
let process: MailProcess
let server: ServerProcess

before(async () => {
  world = await startDovecot()
  oauth = await startOAuthServer()
  process = await mailProcess(world, {
    GRANTWAY_ALLOW_PLAINTEXT_MAIL: 'true',
    GRANTWAY_YAHOO_TOKEN_URL: oauth.tokenUrl,
    GRANTWAY_YAHOO_USERINFO_URL: oauth.userinfoUrl,
    GRANTWAY_YAHOO_IMAP: `localhost:${world.imapPort}`,
    GRANTWAY_YAHOO_SMTP: `localhost:${world.smtpStarttlsPort}`,
  })
  server = await process.start()
  watch.add('api key', process.key)
  for (const body of [
    { provider: 'imap' },
    { provider: 'icloud' },
    {
      provider: 'yahoo',
      settings: {
        client_id: 'basic-app',
        client_secret: watch.add('yahoo client secret', 'basic-app-secret'),
      },
    },
  ]) {
    assert.equal((await call('POST', '/v3/connectors', body)).status, 201)
  }
})
after(async () => {
  await server.end('SIGTERM')
  await process.remove()
  await oauth.stop()
  await world.stop()
})

async function call(method: string, path: string, body?: object) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${process.key}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  watch.keep(`${method} ${path}`, { text, headers: response.headers })
  return { status: response.status, text, body: JSON.parse(text) }
}

const connect = (provider: string, settings: object) =>
  call('POST', '/v3/connect/custom', { provider, settings })

/** `settings` of a user of the test world. */
function settingsOf(user: string, more: object = {}): object {
  return {
    imap_username: addressOf(user),
    imap_password: PASSWORDS[user] ?? `${user}-pass`,
    imap_host: world.host,
    imap_port: world.imapsPort,
    imap_tls: 'implicit',
    ...more,
  }
}

async function assertClean(proof: string): Promise<void> {
  const files = await logKeeper().filesOf(process.dataDir)
  assert.ok(
    files.some(({ bytes }) => bytes.includes(proof)),
    'the files are looked into',
  )
  assert.ok(server.log().includes('"level":"debug"'), 'the log is talkative')
  watch.assertClean([{ name: 'the log', bytes: server.log() }, ...files])
}

test('right and wrong passwords for Dovecot, Postfix and iCloud', async () => {
  const smtp = { smtp_host: world.host, smtp_port: world.smtpTlsPort, smtp_tls: 'implicit' }
  // Long enough to be told from chance, and of signs that base64 and JSON write otherwise.
  const erin = watch.add('the password of erin', PASSWORDS['erin'] ?? '')
  const made = await connect('imap', settingsOf('erin', { imap_password: erin, ...smtp }))
  assert.equal(made.status, 201, made.text)
  const { id } = made.body.data
  for (const path of ['', '/messages?limit=2', '/folders']) {
    assert.equal((await call('GET', `/v3/grants/${id}${path}`)).status, 200)
  }
  const wrong = () => watch.plant('mailbox-password')
  const refused = [
    await connect('imap', settingsOf('carol', { imap_password: wrong() })),
    await connect('imap', settingsOf('carol', { ...smtp, smtp_password: wrong() })),
    await connect('icloud', { username: addressOf('carol'), password: wrong() }),
    await call('PATCH', `/v3/grants/${id}`, { settings: { imap_password: wrong() } }),
  ]
  // Refused, or put off by a server that slows down who guesses: either way nothing may leak.
  for (const { status, text } of refused) assert.ok(status >= 400 && status !== 500, text)
  assert.equal((await call('GET', `/v3/grants/${id}`)).body.data.grant_status, 'valid')
  await assertClean(id)
})

test('refresh tokens of yahoo, used, rotated and refused', async () => {
  const minted = await oauth.mint(addressOf('ollie'), 'basic-app')
  watch.add('yahoo refresh token', minted.refresh_token)
  watch.add('yahoo access token', minted.access_token)
  const made = await connect('yahoo', { refresh_token: minted.refresh_token })
  assert.equal(made.status, 201, made.text)
  assert.equal((await call('GET', `/v3/grants/${made.body.data.id}/messages?limit=1`)).status, 200)
  assert.equal((await connect('yahoo', { refresh_token: watch.plant('yahoo-refresh-token') })).status, 401)
  await assertClean(made.body.data.id)
})
