import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { OutgoingDraft } from '../../src/core/ports/outgoing.ts'

/** Ids that look like the provider's own. */
interface KnownIds {
  readonly message: string
  readonly thread: string
  readonly folder: string
  readonly draft: string
  readonly attachment: string
}

/** A use of a mail port, by its name. */
type NamedCall = readonly [name: string, call: () => Promise<unknown>]

/** One use of everything a provider's mail can do, for tests of answers that are not what was asked for. */
export function everyMailCall(
  mail: Mail | undefined,
  session: GrantSession,
  ids: KnownIds,
): readonly NamedCall[] {
  assert.ok(mail?.messageChanges && mail.threads && mail.folderChanges)
  assert.ok(mail.attachments && mail.drafts && mail.send)
  const { messages, messageChanges, threads, folders, folderChanges, attachments, drafts, send } = mail
  const { message, thread, folder, draft } = ids
  const attachment = { messageId: message, attachmentId: ids.attachment }
  const outgoing: OutgoingDraft = {
    to: [{ email: 'ben@globex.example' }],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'x',
    body: 'x',
    isPlaintext: true,
    headers: [],
    attachments: [
      {
        filename: 'a.txt',
        contentType: 'text/plain',
        isInline: false,
        sizeBytes: 1,
        open: () => Readable.from([Buffer.from('a')]),
      },
    ],
    messageId: '<x@grantway.example>',
    date: 1_768_470_000,
  }
  const page = { limit: 3, fields: 'standard' } as const
  return [
    ['messages.list', () => messages.list(session, page)],
    ['messages.list filtered', () => messages.list(session, { ...page, subject: 'x', to: 'a@x.example' })],
    ['messages.list thread', () => messages.list(session, { ...page, threadId: thread })],
    ['messages.list sources', () => messages.list(session, { ...page, fields: 'raw_mime' })],
    ['messages.find', () => messages.find(session, message, { fields: 'include_headers' })],
    ['messages.find source', () => messages.find(session, message, { fields: 'raw_mime' })],
    ['messages.update', () => messageChanges.update(session, message, { unread: true, folders: [folder] })],
    ['messages.delete', () => messageChanges.delete(session, message, { hard: false })],
    ['messages.delete hard', () => messageChanges.delete(session, message, { hard: true })],
    ['threads.list', () => threads.list(session, { limit: 3 })],
    ['threads.list filtered', () => threads.list(session, { limit: 3, to: 'a@x.example' })],
    ['threads.find', () => threads.find(session, thread, {})],
    ['threads.update', () => threads.update(session, thread, { unread: true })],
    ['threads.delete', () => threads.delete(session, thread, {})],
    [
      'folders.list',
      () => folders.list(session, { limit: 3, includeHiddenFolders: true, singleLevel: false }),
    ],
    ['folders.find', () => folders.find(session, folder, {})],
    ['folders.create', () => folderChanges.create(session, { name: 'x' })],
    ['folders.update', () => folderChanges.update(session, folder, { name: 'y' })],
    ['folders.delete', () => folderChanges.delete(session, folder)],
    ['attachments.find', () => attachments.find(session, attachment)],
    ['attachments.open', async () => (await attachments.open(session, attachment)).content.destroy()],
    ['drafts.list', () => drafts.list(session, { limit: 3 })],
    ['drafts.find', () => drafts.find(session, draft, {})],
    ['drafts.create', () => drafts.create(session, outgoing)],
    ['drafts.update', () => drafts.update(session, draft, outgoing)],
    ['drafts.delete', () => drafts.delete(session, draft)],
    ['drafts.send', () => drafts.send(session, draft)],
    ['send', () => send.send(session, outgoing, { withHeaders: true })],
    [
      'send a reply',
      () => send.send(session, { ...outgoing, replyToMessageId: message }, { withHeaders: false }),
    ],
    [
      'send a source',
      () => send.sendRaw(session, Buffer.from('To: a@x.example\r\n\r\nx'), { withHeaders: false }),
    ],
  ]
}
