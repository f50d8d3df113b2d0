import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HostedStep, SessionHandle } from '../../src/core/ports/oauth-services.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import type { Autoconfig } from '../../src/providers/imap/autoconfig.ts'
import { createImap } from '../../src/providers/imap/provider.ts'
import { type FakeMailServers, startFakeMailServers } from './fake-mail-servers.ts'
import {
  CLIENT,
  context,
  formOf,
  parametersOf,
  type Query,
  redirectOf,
  sessionOf,
  startOfWindow,
  stopOf,
} from './hosted-world.ts'
import { type ModuleWorld, startModuleWorld } from './module-world.ts'

const PASSWORD = 'the right password'
const known = new Map<string, Awaited<ReturnType<Autoconfig>>>()
let own: FakeMailServers
let attackers: FakeMailServers
let world: ModuleWorld
let imap: ProviderModule & { close(): Promise<void> }
before(async () => {
  own = await startFakeMailServers('127.0.0.1', PASSWORD)
  attackers = await startFakeMailServers('127.0.0.2', 'whatever')
  imap = createImap({
    guard: createEgressGuard({ allowedNetworks: ['127.0.0.0/8'] }),
    allowPlaintext: true,
    autoconfig: (email) => Promise.resolve(known.get(email.split('@')[1] ?? '') ?? null),
  })
  known.set('corp.example', serversOf(own))
  world = await startModuleWorld({}, () => [imap])
  await world.services.connectors.create(world.caller, { provider: 'imap' })
  await world.services.connectors.create(world.caller, { provider: 'icloud' })
})
after(async () => {
  await world.stop()
  await imap.close()
  await own.stop()
  await attackers.stop()
})

function serversOf({ host, imapPort, smtpPort }: FakeMailServers) {
  return {
    imap: { host, port: imapPort, tls: 'starttls' as const },
    smtp: { host, port: smtpPort, tls: 'starttls' as const },
  }
}

let users = 0
const newEmail = (domain = 'corp.example') => `user-${(users += 1)}@${domain}`
/** A network of its own for each test, so that none runs into another's limits. */
const newClient = () => ({ ...CLIENT, ip: `198.51.100.${(users += 1)}` })

async function open(query: Query = {}): Promise<SessionHandle> {
  const started = await world.services.hosted.start(
    { ...world.query, provider: 'imap', ...query },
    CLIENT,
    context(),
  )
  return sessionOf(started)
}

async function submit(session: SessionHandle, fields: Query, client = newClient()): Promise<HostedStep> {
  return (await world.services.hosted.submit(session, fields, client, context())).step
}

const login = (email: string, more: Query = {}) => ({
  imap_username: email,
  imap_password: PASSWORD,
  ...more,
})
const at = ({ host, imapPort }: FakeMailServers) => ({ imap_host: host, imap_port: String(imapPort) })
const find = async (email: string) =>
  (
    await world.services.grants.list(
      world.caller,
      { email },
      { limit: 10, offset: 0, by: 'created_at', order: 'asc' },
    )
  )[0]

test('connects a mailbox whose servers its domain names, and sends the user home', async () => {
  const email = newEmail()
  const url = redirectOf(await submit(await open({ state: 's' }), login(email)))
  assert.deepEqual(Object.keys(parametersOf(url)), ['code', 'state'])
  const grant = await find(email)
  assert.deepEqual(
    [grant?.status, grant?.settings['imap_host'], grant?.settings['smtp_port'], grant?.state],
    ['valid', own.host, own.smtpPort, 's'],
  )
  const [audited] = await world.database.stores.audit.list(
    { applicationId: null, actor: 'hosted' },
    { limit: 1 },
  )
  assert.equal(audited?.target, `grant:${grant?.id}`)
})

test('shows the form again for a wrong password, and sends none back', async () => {
  const email = newEmail()
  const session = await open()
  const step = await submit(session, {
    ...login(email),
    imap_password: 'a wrong pässword',
    smtp_password: 'a typed sécret',
  })
  const form = formOf(step)
  assert.match(form.error ?? '', /refused the user name or password/)
  assert.equal(form.fields.find(({ name }) => name === 'imap_username')?.value, email)
  assert.doesNotMatch(JSON.stringify(step), /wrong pässword|typed sécret/)
  assert.ok(redirectOf(await submit(session, login(email))).searchParams.get('code'))
})

test('says beside the field what is missing or mistyped, and counts no attempt for it', async () => {
  const session = await open()
  const cases: readonly [Query, string, RegExp][] = [
    [{}, 'imap_username', /is needed/],
    [{ imap_username: 'ada@corp.example' }, 'imap_password', /is needed/],
    [login('ada'), 'imap_username', /not an email address/],
    [login('ada@corp.example', { imap_host: 'a\r\nb' }), 'imap_host', /not valid/],
    [login(`${'x'.repeat(2000)}@corp.example`), 'imap_username', /not valid/],
  ]
  for (const [fields, name, text] of [...cases, ...cases]) {
    const form = formOf(await submit(session, fields))
    const field = form.fields.find((one) => one.name === name)
    assert.match(field?.error ?? '', text)
    assert.equal(field?.advanced, false)
  }
  const form = formOf(await submit(session, login('ada@corp.example', { imap_port: 'many' })))
  assert.match(
    form.fields.find(({ name }) => name === 'imap_port')?.error ?? '',
    /IMAP port must be a port number/,
  )
  assert.ok(redirectOf(await submit(session, login(newEmail()))).searchParams.get('code'))
})

test('opens the fields for the servers where they can’t be found or reached', async () => {
  const session = await open()
  const unknown = formOf(await submit(session, login(newEmail('unknown.example'))))
  const host = unknown.fields.find(({ name }) => name === 'imap_host')
  assert.match(host?.error ?? '', /IMAP server is required/)
  assert.ok(unknown.fields.every(({ advanced }) => !advanced))
  const closed = await startFakeMailServers('127.0.0.3', PASSWORD)
  await closed.stop()
  const unreachable = formOf(await submit(session, login(newEmail(), at(closed))))
  assert.match(unreachable.error ?? '', /connection to the mail server failed.*names and ports/)
  assert.ok(unreachable.fields.every(({ advanced }) => !advanced))
})

test('asks for sending where the application wants it', async () => {
  known.set('receives.example', { imap: serversOf(own).imap })
  const email = newEmail('receives.example')
  const receiving = await submit(await open(), login(email))
  assert.ok(redirectOf(receiving).searchParams.get('code'))
  const session = await open({ options: 'smtp_required' })
  const form = formOf(await submit(session, login(email)))
  assert.match(form.fields.find(({ name }) => name === 'smtp_host')?.error ?? '', /SMTP server is required/)
  const smtp = { smtp_host: own.host, smtp_port: String(own.smtpPort) }
  assert.ok(redirectOf(await submit(session, login(email, smtp))).searchParams.get('code'))
})

test('stops guessing of passwords: per session', async () => {
  const session = await open()
  const wrong = async () => submit(session, { ...login(newEmail()), imap_password: 'no' })
  for (let tries = 0; tries < 5; tries += 1) assert.equal((await wrong()).kind, 'form')
  const tried = own.logins.length
  assert.equal(stopOf(await wrong()), '429 api.rate_limit_error')
  assert.equal(stopOf(await submit(session, login(newEmail()))), '429 api.rate_limit_error')
  assert.equal(own.logins.length, tried)
  const url = redirectOf((await world.services.hosted.cancel(session)).step)
  assert.equal(url.searchParams.get('error'), 'access_denied')
})

test('stops guessing of passwords: per mailbox, whatever the session and the network', async () => {
  startOfWindow(world.clock)
  const email = newEmail()
  const wrong = async (written: string) => submit(await open(), { ...login(written), imap_password: 'no' })
  for (let tries = 0; tries < 10; tries += 1) assert.equal((await wrong(email)).kind, 'form')
  assert.equal(stopOf(await wrong(email.toUpperCase())), '429 api.rate_limit_error')
  assert.equal((await wrong(newEmail())).kind, 'form')
  world.clock.advance(600_000)
  assert.equal((await wrong(email)).kind, 'form')
})

test('stops guessing of passwords: per network, whatever the session and the mailbox', async () => {
  startOfWindow(world.clock)
  const client = newClient()
  const wrong = async () => submit(await open(), { ...login(newEmail()), imap_password: 'no' }, client)
  for (let tries = 0; tries < 30; tries += 1) assert.equal((await wrong()).kind, 'form')
  assert.equal(stopOf(await wrong()), '429 api.rate_limit_error')
})

test('gives one code when a form is sent twice', async () => {
  const session = await open()
  const email = newEmail()
  const steps = await Promise.all([submit(session, login(email)), submit(session, login(email))])
  assert.deepEqual(steps.map(({ kind }) => kind).toSorted(), ['redirect', 'stop'])
  assert.equal(stopOf(await submit(session, login(email))), '400 grant.login_id_invalid')
})

test('re-points nobody’s mailbox to another server', async () => {
  const email = newEmail()
  assert.equal((await submit(await open(), login(email))).kind, 'redirect')
  for (const query of [{}, { login_hint: email }]) {
    const fields = { imap_username: email, imap_password: 'whatever', ...at(attackers) }
    const url = redirectOf(await submit(await open(query), fields))
    assert.equal(url.searchParams.get('error'), 'grant.reauth_email_invalid')
  }
  assert.equal((await find(email))?.settings['imap_host'], own.host)
})

test('follows a mailbox to the server that its own domain names now', async () => {
  known.set('moving.example', serversOf(own))
  const email = newEmail('moving.example')
  assert.equal((await submit(await open(), login(email))).kind, 'redirect')
  const before = await find(email)
  known.set('moving.example', serversOf(attackers))
  assert.equal((await submit(await open(), { ...login(email), imap_password: 'whatever' })).kind, 'redirect')
  const moved = await find(email)
  assert.deepEqual([moved?.id, moved?.settings['imap_host']], [before?.id, attackers.host])
})

test('renews a mailbox on the same server, and refuses another one in its place', async () => {
  const email = newEmail()
  await submit(await open(), login(email))
  const before = await find(email)
  const again = redirectOf(await submit(await open({ login_hint: email }), login(email, at(own))))
  assert.ok(again.searchParams.get('code'))
  assert.equal((await find(email))?.id, before?.id)
  const other = redirectOf(await submit(await open({ login_hint: email }), login(newEmail())))
  assert.equal(other.searchParams.get('error'), 'grant.reauth_email_invalid')
})

test('offers the way back only where there was a choice', async () => {
  const session = await open({ provider: 'imap,icloud' })
  const choose = async (provider: string) => (await world.services.hosted.choose(session, provider)).step
  const icloud = formOf(await choose('icloud'))
  assert.equal(icloud.canGoBack, true)
  assert.match(icloud.fields.find(({ name }) => name === 'password')?.hint ?? '', /Apple Account/)
  assert.deepEqual((await world.services.hosted.show(session)).step, icloud)
  assert.equal((await choose('')).kind, 'choose')
  assert.equal((await submit(session, login(newEmail()))).kind, 'choose')
})
