import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { OutgoingMessage } from '../../src/core/ports/outgoing.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import type { ProviderError } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createImap } from '../../src/providers/imap/provider.ts'
import { startFakeSmtp } from '../support/fake-smtp.ts'
import { type ImapScript, startImapScript } from '../support/imap-script-server.ts'
import { sessionOf } from './imap-world.ts'

const MESSAGE: OutgoingMessage = {
  to: [{ email: 'b@x.example' }],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 'Hello',
  body: 'text',
  isPlaintext: true,
  attachments: [],
  headers: [],
  messageId: '<m@x.example>',
  date: 1_780_000_000,
}

/** Sends where the submission server refuses the password. @returns the error */
async function refusedSend(t: TestContext, imapScript: ImapScript): Promise<ProviderError> {
  const imap = await startImapScript(imapScript)
  const smtp = await startFakeSmtp({
    reply: (command) =>
      command === '' ? '220 fake' : command.startsWith('AUTH') ? '535 5.7.8 bad credentials' : null,
  })
  const provider = createImap({
    guard: createEgressGuard({ allowedNetworks: ['127.0.0.0/8'] }),
    autoconfig: () => Promise.resolve(null),
    allowPlaintext: true,
  })
  t.after(async () => {
    await provider.close()
    await imap.close()
    await smtp.stop()
  })
  const login = (port: number) =>
    ({ host: '127.0.0.1', port, tls: 'starttls', username: 'user', password: new Secret('planted') }) as const
  const secret = { kind: 'mailbox', imap: login(imap.port), smtp: login(smtp.port) } as const
  const session = sessionOf('user@x.example', secret, new AbortController().signal)
  assert.ok(provider.mail?.send)
  const sending = provider.mail.send.send(session, MESSAGE, { withHeaders: false })
  const error = await sending.then(
    () => assert.fail('it was sent'),
    (reason: unknown) => reason as ProviderError,
  )
  assert.deepEqual(smtp.messages, [])
  return error
}

test('a refused SMTP login keeps the grant where the mailbox still lets the user in', async (t) => {
  const error = await refusedSend(t, {})
  assert.equal(error.kind, 'access-refused')
  assert.equal(error.details.providerCode, '535')
  assert.equal(error.details.reason, 'smtp_login_refused')
  assert.match(error.details.advice ?? '', /smtp_password/)
})

test('a refused SMTP login keeps the grant where the mailbox can not be asked', async (t) => {
  const error = await refusedSend(t, { on: { LOGIN: (call) => call.reply('NO [UNAVAILABLE] later') } })
  assert.equal(error.kind, 'access-refused')
})

test('a login that SMTP and IMAP both refuse is dead', async (t) => {
  const error = await refusedSend(t, {
    on: { LOGIN: (call) => call.reply('NO [AUTHENTICATIONFAILED] no') },
  })
  assert.equal(error.kind, 'grant-revoked')
})
