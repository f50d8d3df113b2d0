import { Readable } from 'node:stream'
import type { FullDraft } from '../../src/contract/message.ts'
import type { FullFolder } from '../../src/contract/folder.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { aMessage, aThread } from '../support/mail-world.ts'

/** A mailbox that takes everything: what a fuzzed request does to this server is the question. */
export const fuzzMail: Mail = {
  facts: { maxMessageBytes: 20_000_000, schedulesDrafts: true, takesLargeUploads: true },
  messages: {
    list: async ({ grantId }, { limit }) => ({
      items: [aMessage(grantId, 'm1')].slice(0, limit),
      nextCursor: 'page 2',
    }),
    find: async ({ grantId }, id) => {
      if (id.startsWith('x')) throw new ProviderError('not-found', 'no such message')
      return aMessage(grantId, id)
    },
  },
  messageChanges: {
    update: async ({ grantId }, id) => aMessage(grantId, id),
    delete: async () => undefined,
  },
  threads: {
    list: async ({ grantId }) => ({ items: [aThread(grantId, 't1')], nextCursor: 'page 2' }),
    find: async ({ grantId }, id) => aThread(grantId, id),
    update: async ({ grantId }, id) => aThread(grantId, id),
    delete: async () => undefined,
  },
  folders: {
    list: async ({ grantId }) => ({ items: [aFolder(grantId, 'INBOX')] }),
    find: async ({ grantId }, id) => aFolder(grantId, id),
  },
  folderChanges: {
    create: async ({ grantId }, { name }) => ({ ...aFolder(grantId, 'f1'), name }),
    update: async ({ grantId }, id) => aFolder(grantId, id),
    delete: async () => undefined,
  },
  attachments: {
    find: async (_session, { attachmentId }) => anAttachment(attachmentId),
    open: async (_session, { attachmentId }) => ({
      attachment: anAttachment(attachmentId),
      content: Readable.from([Buffer.from('bytes')]),
    }),
  },
  send: {
    send: async () => ({ id: 's1', threadId: 't1', folders: ['SENT'], date: 1_767_225_600 }),
    sendRaw: async () => ({ id: 's1', threadId: 't1', folders: ['SENT'], date: 1_767_225_600 }),
  },
  drafts: {
    list: async ({ grantId }) => ({ items: [aDraft(grantId, 'd1')], nextCursor: 'page 2' }),
    find: async ({ grantId }, id) => aDraft(grantId, id),
    create: async ({ grantId }) => aDraft(grantId, 'd1'),
    update: async ({ grantId }, id) => aDraft(grantId, id),
    delete: async () => undefined,
    send: async () => ({ id: 's1', threadId: 't1', folders: ['SENT'], date: 1_767_225_600 }),
  },
}

function aDraft(grantId: string, id: string): FullDraft {
  return { ...aMessage(grantId, id), object: 'draft' }
}

function aFolder(grantId: string, id: string): FullFolder {
  return { id, grant_id: grantId, object: 'folder', name: id } as FullFolder
}

function anAttachment(id: string) {
  return { id, grant_id: 'g', filename: 'a.txt', content_type: 'text/plain', size: 5 }
}
