// The table of hard messages, sent and kept as drafts at Graph's stand-in, as JSON and as source, and compared as Graph
// keeps them. It needs no server, but takes longer than the fast tests may.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DraftsPort, OutgoingMessage, SendPort } from '../../src/core/ports/outgoing.ts'
import { assertSameGraphMail } from '../support/fake-graph/same-graph-mail.ts'
import type { FakeMessage } from '../support/fake-graph/seed.ts'
import {
  type MicrosoftSession,
  type MicrosoftWorld,
  startMicrosoftWorld,
} from '../support/fake-graph/world.ts'
import { hardMessages } from '../support/hard-messages.ts'

const PARENT = 'AAMkMsg-0005='

let world: MicrosoftWorld
let session: MicrosoftSession
let send: SendPort
let drafts: DraftsPort

before(async () => {
  world = await startMicrosoftWorld()
  world.graph.behaviour.mayBeSentAs.add('alice@testworld.example')
  session = world.session()
  assert.ok(world.microsoft.mail?.send && world.microsoft.mail.drafts)
  send = world.microsoft.mail.send
  drafts = world.microsoft.mail.drafts
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
  assert.ok(world.graph.knownCount() > 400)
})

/** The copy in Sent Items; taken away, so that the mailbox stays small. */
function takeSent(id: string): FakeMessage {
  const copy = world.graph.sent.at(-1)
  assert.equal(copy?.id, id)
  const messages = world.graph.mailboxes.get('ada@contoso.example')?.messages ?? []
  messages.splice(
    messages.findIndex((one) => one.id === id),
    1,
  )
  return copy
}

const names = (message: OutgoingMessage) => message.attachments.map(({ filename }) => filename)

for (const { name, message } of hardMessages('microsoft-send')) {
  test(`arrives as it was sent: ${name}`, async () => {
    const sent = await send.send(session, message, { withHeaders: false })
    assert.deepEqual(
      sent.attachments?.map(({ filename }) => filename),
      names(message),
    )
    await assertSameGraphMail(takeSent(sent.id), message)
  })
}

for (const { name, message } of hardMessages('microsoft-source')) {
  test(`arrives as it was sent, as a source: ${name}`, async () => {
    const headers = [...message.headers, { name: 'List-Id', value: '<list.testworld.example>' }]
    const sent = await send.send(session, { ...message, headers }, { withHeaders: false })
    const copy = takeSent(sent.id)
    assert.equal(copy.internetMessageId, message.messageId)
    await assertSameGraphMail(copy, { ...message, headers })
  })
}

for (const { name, message } of hardMessages('microsoft-draft')) {
  test(`stays what it was as a draft, also when it is written again, and sent: ${name}`, async () => {
    const draft = await drafts.create(session, message)
    const { subject, body, isPlaintext, to, cc, bcc, replyTo, attachments } = message
    const again = await drafts.update(session, draft.id, { subject, body, isPlaintext, to, cc, bcc, replyTo })
    assert.deepEqual(again, draft)
    const replaced = await drafts.update(session, draft.id, { attachments })
    assert.deepEqual(
      replaced.attachments.map(({ filename, is_inline }) => [filename, is_inline]),
      draft.attachments.map(({ filename, is_inline }) => [filename, is_inline]),
    )
    const sent = await drafts.send(session, draft.id)
    await assertSameGraphMail(takeSent(sent.id), message)
  })
}

for (const { name, message } of hardMessages('microsoft-reply')) {
  test(`arrives as it was sent, as a reply kept as a draft: ${name}`, async () => {
    const draft = await drafts.create(session, { ...message, replyToMessageId: PARENT })
    assert.equal(draft.thread_id, 'AAQkConv-1=')
    const sent = await drafts.send(session, draft.id)
    assert.equal(sent.threadId, 'AAQkConv-1=')
    const copy = takeSent(sent.id)
    const value = (wanted: string) =>
      copy.internetMessageHeaders?.find((header) => header.name.toLowerCase() === wanted)?.value
    assert.equal(value('in-reply-to'), '<5@globex.example>')
    assert.equal(value('references')?.replace(/\s+/g, ' '), '<4@globex.example> <5@globex.example>')
    await assertSameGraphMail(copy, message)
  })
}
