import { encodeFolderId } from './folder-id.ts'
import { appendMessage } from './append-message.ts'
import type { MailboxView } from './list-messages.ts'
import type { OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'

/**
 * Files a sent message under Sent, read, unless it is there. Running it again does no harm.
 *
 * @param messageId  its Message-ID; by this the server's own copy is found
 * @returns the folder's id
 * @throws ProviderError `mailbox-full`, `too-large`, `unavailable` …
 */
export async function fileSentCopy(
  view: MailboxView,
  copy: { readonly source: Uint8Array; readonly messageId: string; readonly date: number },
): Promise<string> {
  const { client } = view
  const folder = await view.special.ensure(client, view.accountKey, '\\Sent')
  const isThere = (await searchSent(view, folder, copy.messageId)).length > 0
  if (!isThere) {
    await appendMessage(client, folder.path, { source: copy.source, flags: ['\\Seen'], date: copy.date })
  }
  return encodeFolderId(folder.path)
}

/** The id of the folder where the provider itself files what is sent; undefined where there is none. */
export async function sentFolderId(view: MailboxView): Promise<string | undefined> {
  const path = await view.special.find(view.client, view.accountKey, '\\Sent')
  return path === undefined ? undefined : encodeFolderId(path)
}

/** UIDs in the Sent folder, which is open, of the messages with that Message-ID. */
export async function searchSent(
  view: MailboxView,
  folder: OpenedFolder,
  messageId: string,
): Promise<readonly number[]> {
  return folder.exists === 0
    ? []
    : await searchUids(view.client, folder, { header: { 'Message-ID': messageId }, deleted: false })
}
