import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { OutgoingMessage } from '../../src/core/ports/outgoing.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createYahoo } from '../../src/providers/yahoo/provider.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { eventually } from '../support/eventually.ts'
import { relayed } from '../support/far-side.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { addressOf, behind, imapProvider, sessionOf, settingsOf, signedIn } from './imap-world.ts'

const options = { withHeaders: false }

let world: TestDovecot
let oauth: TestOAuthServer
let provider: ReturnType<typeof imapProvider>
let yahoo: ReturnType<typeof createYahoo>
const http = createHttpClient()

before(async () => {
  world = await startDovecot()
  oauth = await startOAuthServer()
  provider = imapProvider(world)
  yahoo = createYahoo({
    http,
    endpoints: {
      authorizeUrl: '',
      tokenUrl: oauth.tokenUrl,
      userinfoUrl: oauth.userinfoUrl,
      imap: { host: world.host, port: world.imapPort },
      smtp: { host: world.host, port: world.smtpStarttlsPort },
    },
    allowPlaintext: false,
    ca: world.ca,
  })
})
after(async () => {
  await provider.close()
  await yahoo.close()
  await http.close()
  await oauth.stop()
  await world.stop()
})

const sender = (user: string): Promise<GrantSession> =>
  signedIn(
    provider,
    settingsOf(world, user, {
      smtp_host: world.host,
      smtp_port: world.smtpStarttlsPort,
      smtp_tls: 'starttls',
    }),
  )

function senderOf(mail: Mail | undefined) {
  assert.ok(mail?.send && mail.drafts)
  return { send: mail.send, drafts: mail.drafts }
}

function messageOf(user: string, more: Partial<OutgoingMessage>): OutgoingMessage {
  return {
    from: { email: addressOf(user) },
    to: [],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'to whoever',
    body: '<p>text</p>',
    isPlaintext: false,
    attachments: [],
    headers: [],
    messageId: `<${randomUUID()}@testworld.example>`,
    date: 1_780_000_000,
    ...more,
  }
}

/** Recipients at the far side that got the message. */
const arrived = async (messageId: string): Promise<readonly string[]> =>
  (await relayed(world, messageId)).flatMap(({ to }) => to)

const atFarSide = (messageId: string, recipient: string) =>
  eventually(`${messageId} at ${recipient}`, async () =>
    (await arrived(messageId)).includes(recipient) ? true : undefined,
  )

/** Sources of a folder that hold a text anywhere. */
function holding(user: string, path: string, text: string) {
  return behind(world, user, async (client) => {
    await client.mailboxOpen(path, { readOnly: true })
    const uids = await client.search({ text }, { uid: true })
    if (!uids || uids.length === 0) return []
    const found = await client.fetchAll([...uids], { source: true }, { uid: true })
    return found.flatMap(({ source }) => source ?? [])
  })
}

test('blind recipients get their copy, without a word of Bcc', async () => {
  const { send } = senderOf(provider.mail)
  const message = messageOf('alice', {
    to: [{ email: 'open@elsewhere.example' }],
    bcc: [{ email: addressOf('carol') }, { email: 'hidden@elsewhere.example' }],
  })
  await send.send(await sender('alice'), message, options)
  await atFarSide(message.messageId, 'open@elsewhere.example')
  await atFarSide(message.messageId, 'hidden@elsewhere.example')
  const [copy] = await eventually('the copy of carol', async () => {
    const found = await holding('carol', 'INBOX', message.messageId)
    return found.length > 0 ? found : undefined
  })
  assert.ok(copy)
  assert.equal(/^bcc:|hidden@elsewhere/im.test(copy.toString()), false)
})

test('a recipient who is refused later is a delivery report in the inbox, and the send a success', async () => {
  const { send } = senderOf(provider.mail)
  const to = [{ email: 'bounce@elsewhere.example' }, { email: 'fine@elsewhere.example' }]
  const message = messageOf('alice', { to })
  const sent = await send.send(await sender('alice'), message, options)
  assert.deepEqual(sent.folders, ['Sent'])
  await atFarSide(message.messageId, 'fine@elsewhere.example')
  const [report] = await eventually('the delivery report', async () => {
    const found = await holding('alice', 'INBOX', message.messageId)
    return found.length > 0 ? found : undefined
  })
  assert.match(report?.toString() ?? '', /multipart\/report[\s\S]*bounce@elsewhere\.example/i)
  assert.equal((await arrived(message.messageId)).includes('bounce@elsewhere.example'), false)
})

test('a recipient whose server is slow or puts it off does not hold up the send', async () => {
  const { send } = senderOf(provider.mail)
  const to = ['slow@elsewhere.example', 'defer@elsewhere.example', 'quick@elsewhere.example']
  const message = messageOf('alice', { to: to.map((email) => ({ email })) })
  const sent = await send.send(await sender('alice'), message, options)
  assert.deepEqual([sent.id, sent.folders], [message.messageId, ['Sent']])
  await atFarSide(message.messageId, 'quick@elsewhere.example')
  await atFarSide(message.messageId, 'slow@elsewhere.example')
  assert.equal((await arrived(message.messageId)).includes('defer@elsewhere.example'), false)
})

/** A session of ollie's whose first token is refused. */
async function ollie(first: Secret | undefined) {
  const minted = await oauth.mint(addressOf('ollie'), 'basic-app')
  const good = new Secret(minted.access_token)
  let token = first ?? good
  let replaced = 0
  const session: GrantSession = {
    ...sessionOf(addressOf('ollie'), { kind: 'none' }),
    accessToken: () => Promise.resolve(token),
    replaceRejected: (rejected) => {
      assert.equal(rejected.open(), token.open())
      replaced += 1
      token = good
      return Promise.resolve(good)
    },
  }
  return { session, replaced: () => replaced, goBad: () => (token = new Secret('made-up-token')) }
}

test('sends and files with an access token by XOAUTH2', async () => {
  const { send } = senderOf(yahoo.mail)
  const { session, replaced } = await ollie(undefined)
  const message = messageOf('ollie', { to: [{ email: 'b@elsewhere.example' }] })
  const sent = await send.send(session, message, options)
  assert.deepEqual([sent.id, sent.folders, replaced()], [message.messageId, ['Sent'], 0])
  await atFarSide(message.messageId, 'b@elsewhere.example')
})

test('a token the SMTP server refuses is replaced once, and the message goes once', async () => {
  const { send } = senderOf(yahoo.mail)
  const { session, replaced } = await ollie(new Secret('made-up-token'))
  const message = messageOf('ollie', { to: [{ email: 'b@elsewhere.example' }] })
  await send.send(session, message, options)
  assert.equal(replaced(), 1)
  await atFarSide(message.messageId, 'b@elsewhere.example')
  assert.deepEqual(await arrived(message.messageId), ['b@elsewhere.example'])
})

test('a draft is kept and sent with tokens that run out on the way', async () => {
  const { drafts } = senderOf(yahoo.mail)
  const { session, replaced, goBad } = await ollie(undefined)
  const made = await drafts.create(session, messageOf('ollie', { to: [{ email: 'b@elsewhere.example' }] }))
  goBad()
  assert.equal((await drafts.send(session, made.id)).id, made.id)
  assert.equal(replaced(), 1)
  await atFarSide(made.id, 'b@elsewhere.example')
  await assert.rejects(drafts.find(session, made.id, {}), { kind: 'not-found' })
})

test('nothing is sent when the fresh token is refused, too, and the grant lives', async () => {
  const { send } = senderOf(yahoo.mail)
  const bad = () => Promise.resolve(new Secret('made-up-token'))
  const session = {
    ...sessionOf(addressOf('ollie'), { kind: 'none' }),
    accessToken: bad,
    replaceRejected: bad,
  }
  const message = messageOf('ollie', { to: [{ email: 'b@elsewhere.example' }] })
  await assert.rejects(send.send(session, message, options), { kind: 'access-refused' })
  assert.deepEqual(await arrived(message.messageId), [])
})
