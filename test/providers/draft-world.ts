import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { OutgoingDraft } from '../../src/core/ports/outgoing.ts'
import type { TestDovecot } from '../support/dovecot.ts'
import { relayed } from '../support/far-side.ts'
import { file, noise } from '../support/hard-messages.ts'
import { addressOf, behind, imapProvider, settingsOf, signedIn } from './imap-world.ts'

/** Told apart from those of other runs on the same servers. */
export const RUN = randomUUID().slice(0, 8)

/** A provider on the test servers, its drafts and sending included. */
export function draftProvider(world: TestDovecot) {
  const provider = imapProvider(world)
  const { mail } = provider
  assert.ok(mail?.drafts && mail.attachments && mail.send)
  return {
    provider,
    mail: { ...mail, drafts: mail.drafts, attachments: mail.attachments, send: mail.send },
  }
}

/** A session of a user who can submit mail. */
export function writer(
  world: TestDovecot,
  { provider }: ReturnType<typeof draftProvider>,
  user: string,
): Promise<GrantSession> {
  return signedIn(
    provider,
    settingsOf(world, user, {
      smtp_host: world.host,
      smtp_port: world.smtpStarttlsPort,
      smtp_tls: 'starttls',
    }),
  )
}

/** A draft with a bit of everything. */
export function draftOf(user: string, more: Partial<OutgoingDraft> = {}): OutgoingDraft {
  return {
    from: { email: addressOf(user), name: 'Who Writes' },
    to: [{ email: 'b@elsewhere.example', name: 'Bé, "Q"' }],
    cc: [{ email: 'c@elsewhere.example' }],
    bcc: [{ email: 'hidden@elsewhere.example' }],
    replyTo: [{ email: 'r@elsewhere.example' }],
    subject: `Entwurf ${RUN} – ü`,
    body: '<p>Grüße</p>\n<img src="cid:pic1">\n',
    isPlaintext: false,
    attachments: [
      file('Übersicht "1".bin', 'application/octet-stream', noise(5000)),
      file('pic.png', 'image/png', noise(700, 'pic'), { contentId: 'pic1', isInline: true }),
      file('old.txt', 'text/plain; charset=iso-8859-1', Buffer.from('gr\xfc\xdfe\n', 'latin1')),
    ],
    headers: [
      { name: 'X-Campaign', value: 'früh, 10 %' },
      { name: 'X-Plain', value: 'a; b=c' },
    ],
    messageId: `<${randomUUID()}@testworld.example>`,
    date: 1_780_000_000,
    ...more,
  }
}

/** Every message of a folder that carries the id, as it is stored. */
export function stored(world: TestDovecot, user: string, path: string, messageId: string) {
  return behind(world, user, async (client) => {
    await client.mailboxOpen(path, { readOnly: true })
    const uids = await client.search({ header: { 'Message-ID': messageId } }, { uid: true })
    if (!uids || uids.length === 0) return []
    return client.fetchAll([...uids], { source: true, flags: true }, { uid: true })
  })
}

/** The messages of the far side that carry the id. */
export const arrived = async (world: TestDovecot, messageId: string): Promise<readonly Buffer[]> =>
  (await relayed(world, messageId)).map(({ source }) => source)
