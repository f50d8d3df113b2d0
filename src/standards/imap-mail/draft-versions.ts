import { ProviderError } from '../../kit/provider-error.ts'
import { carriedOut } from '../../protocols/imap/carried-out.ts'
import { appendMessage, type AppendedMessage } from './append-message.ts'
import { notFound, openDrafts } from './find-draft.ts'
import type { Found } from './find-message.ts'
import type { MailboxView } from './list-messages.ts'
import { deleteMessage } from './message-changes.ts'
import { encodePlaceId } from './message-id.ts'
import { openForChange } from './open-folder.ts'

/** A draft as it is stored. */
export interface StoredDraft {
  readonly source: Buffer
  readonly flags: readonly string[]
}

/** Reads a draft as it is stored. @throws ProviderError `not-found` when it is gone */
export async function readStored(view: MailboxView, { folder, row }: Found): Promise<StoredDraft> {
  const { client } = view
  if (!client.mailbox || client.mailbox.path !== folder.path) {
    const opened = await openForChange(client, folder.path)
    if (opened?.uidValidity !== folder.uidValidity) throw notFound()
  }
  const query = { uid: true, flags: true, source: true }
  const found = await carriedOut(client, () => client.fetchOne(String(row.uid), query, { uid: true }))
  if (!found.source) throw notFound()
  return { source: found.source, flags: [...(found.flags ?? [])] }
}

/**
 * Stores a draft in the folder of drafts, which is made where there is none.
 * @param messageId  its Message-ID; by this it is found where the server tells no UID (UIDPLUS)
 * @returns where it is; its folder is open then
 * @throws ProviderError `mailbox-full`, `too-large`, `unavailable` …
 */
export async function storeDraft(
  view: MailboxView,
  message: AppendedMessage,
  messageId: string,
): Promise<Found> {
  const { client, index } = view
  const { path } = await view.special.ensure(client, view.accountKey, '\\Drafts')
  const uid = await appendMessage(client, path, message)
  const drafts = await openDrafts(view)
  const digest = index.digestOf(messageId)
  const row =
    drafts?.rows.find((other) => other.uid === uid) ??
    drafts?.rows.findLast((other) => other.idDigest === digest)
  if (!drafts || !row) {
    throw new ProviderError('malformed-response', 'The mail server took the draft, and shows it nowhere.')
  }
  return { folder: drafts.folder, row }
}

/** Removes a draft for good, whatever else has its Message-ID. One that is gone needs nothing. @throws ProviderError */
export async function removeDraft(view: MailboxView, { folder, row }: Found): Promise<void> {
  try {
    await deleteMessage(view, encodePlaceId({ ...folder, uid: row.uid }), { hard: true })
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error
  }
  view.index.noteGone(folder, row.uid)
}
