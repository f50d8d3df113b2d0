import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { type MicrosoftWorld, startMicrosoftWorld } from '../support/fake-graph/world.ts'

let world: MicrosoftWorld
let session: GrantSession
before(async () => {
  world = await startMicrosoftWorld()
})
beforeEach(() => {
  session = world.session()
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
})

const MESSAGE = 'AAMkMsgTeam-0000='
const DRAFT = 'AAMkMsgTeam-0001='
const ATTACHMENT = { messageId: MESSAGE, attachmentId: 'AAMkAtt-fileAttachment-0=' }
const INBOX = 'AAMkFolder-in-01='

/** Every operation that takes `shared_from`. */
const OPERATIONS: readonly [string, (mail: Mail, sharedFrom: string) => Promise<unknown>][] = [
  [
    'messages.list',
    (mail, sharedFrom) =>
      mail.messages.list(session, { limit: 5, fields: 'standard', in: INBOX, sharedFrom }),
  ],
  [
    'messages.find',
    (mail, sharedFrom) => mail.messages.find(session, MESSAGE, { fields: 'standard', sharedFrom }),
  ],
  [
    'messages.find raw',
    (mail, sharedFrom) => mail.messages.find(session, MESSAGE, { fields: 'raw_mime', sharedFrom }),
  ],
  [
    'messageChanges.update',
    (mail, sharedFrom) => mail.messageChanges!.update(session, MESSAGE, { starred: false, sharedFrom }),
  ],
  [
    'threads.list',
    (mail, sharedFrom) => mail.threads!.list(session, { limit: 5, sharedFolderId: INBOX, sharedFrom }),
  ],
  ['threads.find', (mail, sharedFrom) => mail.threads!.find(session, 'AAQkConv-Team0=', { sharedFrom })],
  [
    'threads.update',
    (mail, sharedFrom) => mail.threads!.update(session, 'AAQkConv-Team0=', { unread: false, sharedFrom }),
  ],
  [
    'folders.list',
    (mail, sharedFrom) =>
      mail.folders.list(session, { limit: 5, includeHiddenFolders: false, singleLevel: true, sharedFrom }),
  ],
  ['folders.find', (mail, sharedFrom) => mail.folders.find(session, INBOX, { sharedFrom })],
  ['drafts.find', (mail, sharedFrom) => mail.drafts!.find(session, DRAFT, { sharedFrom })],
  ['attachments.find', (mail, sharedFrom) => mail.attachments!.find(session, { ...ATTACHMENT, sharedFrom })],
  [
    'attachments.open',
    async (mail, sharedFrom) =>
      buffer((await mail.attachments!.open(session, { ...ATTACHMENT, sharedFrom })).content),
  ],
  ['threads.delete', (mail, sharedFrom) => mail.threads!.delete(session, 'AAQkConv-Team1=', { sharedFrom })],
  [
    'messageChanges.delete',
    (mail, sharedFrom) => mail.messageChanges!.delete(session, MESSAGE, { hard: true, sharedFrom }),
  ],
]

for (const [name, run] of OPERATIONS) {
  test(`${name} works in a mailbox that is shared, and only there`, async () => {
    const team = world.graph.mailboxes.get('team@contoso.example')!
    const at = team.messages.findIndex(({ id }) => id === DRAFT)
    if (team.messages[at]) team.messages[at] = { ...team.messages[at], isDraft: true }
    const mail = world.microsoft.mail!
    await assert.rejects(run(mail, 'bob@contoso.example'), fails('scope-missing'))
    await assert.rejects(run(mail, 'nobody@contoso.example'), fails('not-found'))
    await assert.rejects(run(mail, 'me/messages'), fails('invalid-request'))
    const from = world.graph.seen.length
    await run(mail, 'team@contoso.example')
    const own = world.graph.seen.slice(from).filter(({ path }) => path.startsWith('/me'))
    assert.deepEqual(own, [], 'nothing is asked of the own mailbox')
  })
}
