import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import type { ProviderErrorDetails } from '../../src/kit/provider-error.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { addressOf, connect, imapProvider, settingsOf } from './imap-world.ts'

let world: TestDovecot

before(async () => {
  world = await startDovecot()
})
after(() => world.stop())

test('signs in and tells who it is, without a password in the public settings', async () => {
  const provider = imapProvider(world)
  const account = await connect(
    provider,
    settingsOf(world, 'alice', {
      imap_port: String(world.imapsPort),
      smtp_host: world.host,
      smtp_port: world.smtpTlsPort,
      smtp_tls: 'implicit',
      caldav_url: 'https://dav.testworld.example/',
    }),
  )
  assert.equal(account.email, addressOf('alice'))
  assert.equal(account.identityKey, `${addressOf('alice')}@${world.host}`)
  assert.deepEqual(account.publicSettings, {
    caldav_url: 'https://dav.testworld.example/',
    imap_username: addressOf('alice'),
    imap_host: world.host,
    imap_port: world.imapsPort,
    smtp_username: addressOf('alice'),
    smtp_host: world.host,
    smtp_port: world.smtpTlsPort,
  })
  assert.ok(account.secret?.kind === 'mailbox')
  assert.equal(account.secret.smtp?.password.open(), 'alice-pass')
  assert.ok(!JSON.stringify(account).includes('alice-pass'))
})

test('takes STARTTLS, UTF-8 passwords and the alias names', async () => {
  const provider = imapProvider(world)
  const account = await connect(provider, {
    username: addressOf('erin'),
    password: 'pässwörd€ü',
    imap_host: 'localhost',
    imap_port: world.imapPort,
    smtp_host: 'localhost',
    smtp_port: world.smtpStarttlsPort,
  })
  assert.ok(account.secret?.kind === 'mailbox')
  assert.equal(account.secret.imap.tls, 'starttls')
  assert.equal(account.secret.smtp?.tls, 'starttls')
})

test('a wrong password is refused as dead, with the server’s code, never with the password', async () => {
  const failed = connect(imapProvider(world), settingsOf(world, 'alice', { imap_password: 'planted-secret' }))
  await assert.rejects(failed, (error: Error & { kind: string; details: object }) => {
    assert.equal(error.kind, 'grant-revoked')
    assert.ok('providerCode' in error.details && error.details.providerCode === 'AUTHENTICATIONFAILED')
    const shown = inspect(error, { depth: 10 })
    assert.ok(!shown.includes('planted-secret'))
    assert.ok(!shown.includes(Buffer.from(`\0${addressOf('alice')}\0planted-secret`).toString('base64')))
    return true
  })
})

test('a locked account is not a dead one', async () => {
  await assert.rejects(connect(imapProvider(world), settingsOf(world, 'locked')), { kind: 'access-refused' })
})

test('a server whose certificate is not trusted is not talked to', async () => {
  const provider = imapProvider(world)
  const untrusting = imapProvider({ ...world, ca: '' })
  await connect(provider, settingsOf(world, 'carol'))
  await assert.rejects(connect(untrusting, settingsOf(world, 'carol')), {
    kind: 'unavailable',
    message: /certificate is not trusted/,
  })
  const starttls = settingsOf(world, 'carol', { imap_port: world.imapPort, imap_tls: 'starttls' })
  await assert.rejects(connect(untrusting, starttls), { kind: 'unavailable' })
})

test('the certificate must fit the name, not the address', async () => {
  const provider = imapProvider(world, {
    guard: createEgressGuard({
      allowedNetworks: ['127.0.0.0/8'],
      lookup: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    }),
  })
  await connect(provider, settingsOf(world, 'carol', { imap_host: 'mail.testworld.example' }))
  await assert.rejects(connect(provider, settingsOf(world, 'carol', { imap_host: 'mail.other.example' })), {
    kind: 'unavailable',
  })
})

test('private addresses and strange ports are refused before anything is sent', async () => {
  const provider = imapProvider(world, { guard: createEgressGuard({ allowedNetworks: [] }) })
  await assert.rejects(connect(provider, settingsOf(world, 'alice')), { kind: 'invalid-request' })
})

test('SMTP that was given must work; SMTP that was found is left out when it does not', async () => {
  const wrong = settingsOf(world, 'carol', {
    smtp_host: world.host,
    smtp_port: world.smtpTlsPort,
    smtp_tls: 'implicit',
    smtp_password: 'not-the-one',
  })
  await assert.rejects(connect(imapProvider(world), wrong), { kind: 'grant-revoked', message: /SMTP/ })

  const smtp = { host: world.host, port: world.smtpPlainPort, tls: 'starttls' as const }
  const found = imapProvider(world, { autoconfig: () => Promise.resolve({ smtp }) })
  const account = await connect(found, settingsOf(world, 'carol'))
  assert.ok(account.secret?.kind === 'mailbox')
  assert.equal(account.secret.smtp, null)
})

test('finds hosts by autoconfiguration where none are given', async () => {
  const provider = imapProvider(world, {
    autoconfig: (email) => {
      assert.equal(email, addressOf('carol'))
      return Promise.resolve({
        imap: { host: 'localhost', port: world.imapPort, tls: 'starttls' },
        smtp: { host: 'localhost', port: world.smtpTlsPort, tls: 'implicit' },
      })
    },
  })
  const account = await connect(provider, { imap_username: addressOf('carol'), imap_password: 'carol-pass' })
  assert.equal(account.publicSettings['imap_port'], world.imapPort)
  assert.equal(account.publicSettings['smtp_port'], world.smtpTlsPort)

  const nothing = connect(imapProvider(world), { imap_username: addressOf('carol'), imap_password: 'x' })
  await assert.rejects(nothing, { kind: 'invalid-request', message: /imap_host is required/ })
})

test('a server that has no STARTTLS is refused, or taken where clear text is allowed', async () => {
  const seen: string[] = []
  const server = createServer((socket) => {
    socket.write('* OK [CAPABILITY IMAP4rev1] planted-banner\r\n')
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const line of data.toString().split('\r\n').filter(Boolean)) {
        seen.push(line)
        const [tag = '', command = ''] = line.split(' ')
        if (/CAPABILITY/i.test(command)) socket.write('* CAPABILITY IMAP4rev1\r\n')
        socket.write(`${tag} OK done\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const settings = settingsOf(world, 'alice', { imap_port: port, imap_tls: 'starttls' })
    await assert.rejects(connect(imapProvider(world), settings), (error: Error & { kind: string }) => {
      assert.equal(error.kind, 'invalid-request')
      assert.match(error.message, /STARTTLS/)
      return true
    })
    assert.ok(!seen.some((line) => /LOGIN|AUTHENTICATE/i.test(line)))
    await connect(imapProvider(world, { allowPlaintext: true }), settings)
    assert.ok(seen.some((line) => /LOGIN/i.test(line)))
  } finally {
    server.close()
  }
})

test('a server that refuses with its banner in the greeting is not quoted', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end('* BYE planted-banner internal-service 1.2.3\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const settings = settingsOf(world, 'alice', { imap_port: port, imap_tls: 'starttls' })
    await assert.rejects(
      connect(imapProvider(world), settings),
      (error: Error & { details: ProviderErrorDetails }) => {
        const shown = `${error.message}${JSON.stringify(error.details.providerBody)}`
        assert.ok(!shown.includes('planted-banner'), shown)
        return true
      },
    )
  } finally {
    server.close()
  }
})

test('names the setting that is missing or wrong', () => {
  const read = (settings: { [name: string]: unknown }) => () =>
    imapProvider(world).identity.readSettings(settings)
  const login = { imap_username: 'a@x.example', imap_password: 'p' }
  assert.throws(read({}), /settings\.imap_username is required/)
  assert.throws(read({ imap_username: 'a@x.example' }), /settings\.imap_password is required/)
  assert.throws(read({ ...login, imap_port: 'x' }), /settings\.imap_port/)
  assert.throws(read({ ...login, imap_port: 70_000 }), /settings\.imap_port/)
  assert.throws(read({ ...login, imap_host: 'http://x' }), /settings\.imap_host/)
  assert.throws(read({ ...login, imap_tls: 'none' }), /settings\.imap_tls/)
  assert.throws(read({ ...login, imap_username: 'ada' }), /settings\.email is required/)
  assert.throws(read({ ...login, caldav_url: 'https://u:p@x' }), /settings\.caldav_url/)
})
