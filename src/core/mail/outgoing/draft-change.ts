import { Buffer } from 'node:buffer'
import type { DraftBody } from '../../../contract/outgoing.ts'
import { appError } from '../../../contract/errors.ts'
import type { GrantSession } from '../../ports/grant-session.ts'
import type { DraftChange, DraftsPort, OutgoingAttachment } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { attachmentOf } from './attachment-bodies.ts'
import { checkAddresses, checkCustomHeaders } from './field-checks.ts'
import { readText, withSignature } from './message-body.ts'
import { checkSize } from './message-size.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { checkSubject, readReplyTo } from './prepare-message.ts'
import { placeFiles, readAttachments } from './read-attachments.ts'

/** A draft that is about to change. */
export interface ChangingDraft {
  readonly grant: GrantRecord
  readonly session: GrantSession
  readonly drafts: DraftsPort
  readonly id: string
}

/** Bytes of the attachments that are kept: they are read before the draft changes under them. */
const MAX_KEPT_BYTES = 150 * 1024 * 1024

/**
 * Reads a change of a draft: only what is given changes, attachments as a whole list. One of the draft's own, named by
 * its id, stays.
 * @throws AppError 400 that names the field, 413; ProviderError
 */
export async function changeOf(
  deps: OutgoingDeps,
  changing: ChangingDraft,
  { body, files }: { readonly body: DraftBody; readonly files: readonly OutgoingAttachment[] },
): Promise<DraftChange> {
  const { grant } = changing
  const [from] = checkAddresses(body.from, 'from')
  const replyTo = readReplyTo(body)
  const text = await changedText(deps, changing, body)
  if (text.subject !== undefined) checkSubject(text.subject)
  const attachments = await changedAttachments(deps, changing, { body, files, text: text.body })
  checkSize(deps.access.facts(grant), { body: text.body ?? '', attachments: attachments ?? [] })
  return {
    ...(from ? { from } : {}),
    ...(body.to ? { to: checkAddresses(body.to, 'to') } : {}),
    ...(body.cc ? { cc: checkAddresses(body.cc, 'cc') } : {}),
    ...(body.bcc ? { bcc: checkAddresses(body.bcc, 'bcc') } : {}),
    ...(body.reply_to ? { replyTo: checkAddresses(body.reply_to, 'reply_to') } : {}),
    ...text,
    ...(body.is_plaintext === undefined ? {} : { isPlaintext: body.is_plaintext }),
    ...(attachments ? { attachments } : {}),
    ...(body.custom_headers
      ? { headers: checkCustomHeaders(body.custom_headers, { isReply: replyTo !== undefined }) }
      : {}),
    ...(replyTo === undefined ? {} : { replyToMessageId: replyTo }),
    ...(body.starred === undefined ? {} : { starred: body.starred }),
  }
}

async function changedText(
  deps: OutgoingDeps,
  { grant, session, drafts, id }: ChangingDraft,
  body: DraftBody,
) {
  const text = await readText(deps, grant, body)
  if (body.signature_id === undefined) return text
  const written = text.body ?? (await drafts.find(session, id, {})).body
  const isPlaintext = body.is_plaintext ?? (text.body === undefined && !looksLikeHtml(written))
  return {
    ...text,
    body: await withSignature(deps, grant, { body: written, isPlaintext }, body.signature_id),
  }
}

async function changedAttachments(
  deps: OutgoingDeps,
  changing: ChangingDraft,
  given: {
    readonly body: DraftBody
    readonly files: readonly OutgoingAttachment[]
    readonly text: string | undefined
  },
): Promise<OutgoingAttachment[] | undefined> {
  const { attachments, is_plaintext: isPlaintext = false } = given.body
  if (!attachments && given.files.length === 0) return undefined
  return await readAttachments(deps, changing.grant, {
    ...(attachments ? { attachments } : {}),
    files:
      given.text === undefined
        ? // The body that shows them is at the provider: a content id is taken at its word.
          given.files.map((file) => ({ ...file, isInline: file.contentId !== undefined }))
        : placeFiles(given.files, { body: given.text, isPlaintext }),
    kept: keptAttachments(deps, changing),
  })
}

function keptAttachments(deps: OutgoingDeps, { grant, session, drafts, id }: ChangingDraft) {
  let found: ReturnType<DraftsPort['find']> | undefined
  let keptBytes = 0
  return async (attachmentId: string): Promise<OutgoingAttachment | undefined> => {
    const draft = await (found ??= drafts.find(session, id, {}))
    const known = draft.attachments.find((each) => each.id === attachmentId)
    if (!known) return undefined
    const port = deps.access.capability(grant, 'attachments', 'read attachments')
    const { content } = await port.open(session, { messageId: draft.id, attachmentId })
    const chunks: Uint8Array[] = []
    for await (const chunk of content) {
      const bytes = Buffer.from(chunk)
      keptBytes += bytes.length
      if (keptBytes > MAX_KEPT_BYTES) throw appError('message_too_large')
      chunks.push(bytes)
    }
    const facts = {
      filename: known.filename,
      contentType: known.content_type,
      ...(known.content_id === undefined ? {} : { contentId: known.content_id.replace(/^<(.*)>$/, '$1') }),
      isInline: known.is_inline ?? false,
    }
    return attachmentOf(facts, Buffer.concat(chunks))
  }
}

/** A draft does not tell whether its body is text. */
export function looksLikeHtml(body: string): boolean {
  return /<[a-z!/]/i.test(body)
}
