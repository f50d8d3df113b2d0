import type { AttachmentBody } from '../../../contract/outgoing.ts'
import type { UploadedFiles } from '../../ports/mail-services.ts'
import type { OutgoingAttachment } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { readFacts, readInlineAttachment } from './attachment-bodies.ts'
import { checkHeaderText } from './field-checks.ts'

/** Opens an attachment of a draft that the client wants to keep; undefined where the draft has none of that id. */
export type KeptAttachments = (id: string) => Promise<OutgoingAttachment | undefined>

/**
 * Reads the attachments of a request: those with their bytes, those named by the id of an upload (or of the draft that
 * is changed), then the files of its form.
 * @throws AppError 400 that names the field
 */
export async function readAttachments(
  deps: { readonly uploads: UploadedFiles },
  grant: GrantRecord,
  given: {
    readonly attachments?: readonly AttachmentBody[]
    readonly files: readonly OutgoingAttachment[]
    readonly kept?: KeptAttachments
  },
): Promise<OutgoingAttachment[]> {
  const read: OutgoingAttachment[] = []
  for (const [index, body] of (given.attachments ?? []).entries()) {
    const field = `attachments.${index}`
    const otherwise = { filename: `attachment${index + 1}` }
    if (body.id === undefined || body.content !== undefined) {
      read.push(readInlineAttachment(body, field, otherwise))
      continue
    }
    const stored = (await given.kept?.(body.id)) ?? (await deps.uploads.take(grant, body.id, `${field}.id`))
    read.push(withWishes(stored, body, field))
  }
  for (const [index, file] of given.files.entries()) {
    checkHeaderText(file.filename, `the file name of part ${index + 1}`)
    checkHeaderText(file.contentType, `the content type of part ${index + 1}`)
    checkHeaderText(file.contentId ?? '', `the name of part ${index + 1}`)
    read.push(file)
  }
  return read
}

/** What the request says about a stored file wins over what was said when it was stored. */
function withWishes(stored: OutgoingAttachment, body: AttachmentBody, field: string): OutgoingAttachment {
  const facts = readFacts(body, field, stored)
  return {
    ...stored,
    ...facts,
    ...(facts.contentId === undefined && stored.contentId !== undefined
      ? { contentId: stored.contentId }
      : {}),
    isInline: facts.isInline || (body.is_inline === undefined && stored.isInline),
  }
}

/** A file of a form whose name is a content id is inline when the HTML shows it (contract/email.md 4.3). */
export function placeFiles(
  files: readonly OutgoingAttachment[],
  { body, isPlaintext }: { readonly body: string; readonly isPlaintext: boolean },
): OutgoingAttachment[] {
  return files.map((file) => {
    if (file.contentId === undefined) return file
    const isShown = !isPlaintext && showsContentId(body, file.contentId)
    return { ...file, isInline: isShown }
  })
}

function showsContentId(html: string, contentId: string): boolean {
  // A lone surrogate can't be written with percent signs; as UTF-8 it becomes a replacement character.
  const wellFormed = Buffer.from(contentId, 'utf8').toString('utf8')
  return [contentId, encodeURIComponent(wellFormed)].some((id) => {
    const link = `cid:${id}`
    for (let at = html.indexOf(link); at !== -1; at = html.indexOf(link, at + 1)) {
      // `cid:logo2` does not show the file named logo.
      if (!/[\w.@%-]/.test(html.charAt(at + link.length))) return true
    }
    return false
  })
}
