// The table of hard messages, sent and kept as drafts at Gmail's stand-in, read back as source and compared by a parser
// that is not ours. It needs no server, but takes longer than the fast tests may.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FullMessage, RawMessage } from '../../src/contract/message.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { DraftsPort, SendPort } from '../../src/core/ports/outgoing.ts'
import { hardMessages } from '../support/hard-messages.ts'
import { assertSameMail } from '../support/same-mail.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

let world: GoogleWorld
let session: TestSession
let mail: Mail
let send: SendPort
let drafts: DraftsPort

before(async () => {
  world = await startGoogleWorld()
  const alias = { email: 'alice@testworld.example', isVerified: true }
  world.sandbox.control.addSendAs('ada@sandbox.example', alias)
  session = world.session('sandbox-refresh-token-ada')
  assert.ok(world.google.mail?.send && world.google.mail.drafts)
  mail = world.google.mail
  send = world.google.mail.send
  drafts = world.google.mail.drafts
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
  assert.ok(world.validator.knownCount() > 200)
})

async function sourceOf(id: string): Promise<Buffer> {
  const raw = (await mail.messages.find(session, id, { fields: 'raw_mime' })) as RawMessage
  return Buffer.from(raw.raw_mime, 'base64url')
}

for (const { name, message } of hardMessages('google-send')) {
  test(`arrives as it was sent: ${name}`, async () => {
    const sent = await send.send(session, message, { withHeaders: false })
    assert.ok(sent.folders.includes('SENT'))
    await assertSameMail(await sourceOf(sent.id), message, { withBcc: true })
    const found = (await mail.messages.find(session, sent.id, { fields: 'standard' })) as FullMessage
    const byId = new Map(found.attachments.map((file) => [file.id, file]))
    assert.ok(sent.attachments)
    assert.deepEqual(
      sent.attachments.map(({ id, size }) => [byId.get(id)?.filename, byId.get(id)?.size, size]),
      message.attachments.map(({ filename }, at) => {
        const size = sent.attachments?.[at]?.size
        return [filename, size, size]
      }),
    )
  })
}

for (const { name, message } of hardMessages('google-draft')) {
  test(`stays what it was as a draft, also when it is written again, and sent: ${name}`, async () => {
    const draft = await drafts.create(session, message)
    const again = await drafts.update(session, draft.id, { subject: message.subject })
    assert.equal(again.id, draft.id)
    assert.deepEqual(
      again.attachments.map(({ filename, is_inline }) => [filename, is_inline]),
      draft.attachments.map(({ filename, is_inline }) => [filename, is_inline]),
    )
    const sent = await drafts.send(session, draft.id)
    await assertSameMail(await sourceOf(sent.id), message, { withBcc: true })
  })
}
