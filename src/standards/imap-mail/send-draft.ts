import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { SentResult } from '../../core/ports/outgoing.ts'
import { headerValue, parseHeaderBlock } from '../../formats/mime/headers.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { carriedOut } from '../../protocols/imap/carried-out.ts'
import { readStored, removeDraft } from './draft-versions.ts'
import { locateDraft, notFound } from './find-draft.ts'
import type { Found } from './find-message.ts'
import { encodeFolderId } from './folder-id.ts'
import type { MailboxView } from './list-messages.ts'
import { openForChange } from './open-folder.ts'
import { resultOf, type SendDeps, sendSource } from './send.ts'
import { searchSent } from './sent-copy.ts'

/**
 * Marks a draft that is being sent. It stays on a draft of which nobody knows whether it went; a change of the draft
 * takes it off.
 * @see RFC 5550 section 5.10
 */
export const SUBMIT_PENDING = '$SubmitPending'

/** Tidying up takes no longer, though the message has gone and the caller's deadline counts no more. */
const TIDYING_TIMEOUT_MS = 60_000

interface TakenDraft {
  readonly found: Found
  readonly source: Buffer
  /** It went before, and whoever sent it was stopped before it could remove the draft. */
  readonly sent: SentResult | undefined
}

/**
 * Sends a draft as it is, files the copy and removes the draft. When nothing was sent, the draft stays as it was.
 * @throws ProviderError `conflict` for a draft that may have been sent by an attempt without an end; as `SendPort`
 */
export async function sendDraft(deps: SendDeps, session: GrantSession, id: string): Promise<SentResult> {
  const change = await deps.openMailbox(session, 'change')
  const draft = await change(session.signal, (view) => takeDraft(view, id))
  const result = draft.sent ?? (await submit(deps, session, draft))
  await tidyUp(deps, session, (view) => removeDraft(view, draft.found))
  return result
}

async function submit(deps: SendDeps, session: GrantSession, draft: TakenDraft): Promise<SentResult> {
  try {
    return await sendSource(deps, session, draft.source, { withHeaders: false, isDraft: true })
  } catch (error) {
    const mayHaveGone = error instanceof ProviderError && error.details.answered === false
    if (!mayHaveGone) await tidyUp(deps, session, (view) => release(view, draft.found))
    throw error
  }
}

/** Reads a draft and marks it, where the server keeps such marks. */
async function takeDraft(view: MailboxView, id: string): Promise<TakenDraft> {
  const found = await locateDraft(view, id)
  const { client } = view
  const folder = await openForChange(client, found.folder.path)
  if (folder?.uidValidity !== found.folder.uidValidity) throw notFound()
  const { source, flags } = await readStored(view, found)
  if (flags.some((flag) => flag.toLowerCase() === SUBMIT_PENDING.toLowerCase())) {
    const sent = await sentBefore(view, source)
    if (sent) return { found, source, sent }
    throw new ProviderError(
      'conflict',
      'The draft may have been sent by a request that was cut off: look for it at the recipient. To send it again, update it first.',
    )
  }
  try {
    const range = String(found.row.uid)
    await carriedOut(client, () =>
      client.messageFlagsAdd(range, [SUBMIT_PENDING], { uid: true, silent: true }),
    )
  } catch (error) {
    // Not every server keeps keywords. Then only this process knows that the draft is being sent.
    if (!(error instanceof ProviderError) || !['unsupported', 'invalid-request'].includes(error.kind))
      throw error
  }
  return { found, source, sent: undefined }
}

/** The copy that an earlier attempt left under Sent. */
async function sentBefore(view: MailboxView, source: Buffer): Promise<SentResult | undefined> {
  const headers = parseHeaderBlock(source)
  const messageId = headerValue(headers, 'message-id')?.trim() ?? ''
  const folder = await view.special.open(view.client, view.accountKey, '\\Sent')
  if (!folder || messageId === '') return undefined
  const [uid] = await searchSent(view, folder, messageId)
  const row = uid === undefined ? undefined : (await view.index.rows(view.client, folder, [uid])).get(uid)
  if (!row) return undefined
  return resultOf(
    {
      messageId,
      references: headerValue(headers, 'references'),
      inReplyTo: headerValue(headers, 'in-reply-to'),
    },
    { folders: [encodeFolderId(folder.path)], date: row.date },
  )
}

async function release(view: MailboxView, { folder, row }: Found): Promise<void> {
  const opened = await openForChange(view.client, folder.path)
  if (opened?.uidValidity !== folder.uidValidity) return
  await view.client.messageFlagsRemove(String(row.uid), [SUBMIT_PENDING], { uid: true, silent: true })
}

/** Does what is left to do, with a second try on another connection. It never fails what came before. */
async function tidyUp(
  deps: SendDeps,
  session: GrantSession,
  work: (view: MailboxView) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.timeout(TIDYING_TIMEOUT_MS)
  for (let tries = 2; tries > 0; tries -= 1) {
    try {
      return await (await deps.openMailbox(session, 'change'))(signal, work)
    } catch (error) {
      session.log.warn({ err: error }, 'mail.draft_left_marked')
    }
  }
}
