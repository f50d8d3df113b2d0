import type { Attachment } from '../../contract/message.ts'
import { encodeAttachmentId } from '../../formats/attachment-id.ts'
import { isRelatedFile, type MailContent } from '../../formats/mime/compose-message.ts'
import { parseMessage } from '../../formats/mime/parse-message.ts'
import { selectParts } from '../../formats/mime/select-parts.ts'
import { decodeTransfer } from '../../formats/mime/transfer-encoding.ts'
import type { OutgoingAttachment } from '../../core/ports/outgoing.ts'

/**
 * Tells the attachments of a message that was just written as Gmail will show them, without asking: it numbers parts
 * from 0 where RFC 9051 numbers from 1, and its sizes are those of the decoded bytes.
 *
 * @returns in the order they were given; undefined where they can not be told apart
 */
export function sentAttachments(
  source: Uint8Array,
  content: MailContent,
  files: readonly OutgoingAttachment[],
  grantId: string,
): Attachment[] | undefined {
  const parsed = parseMessage(source)
  const written = selectParts(parsed.structure).attachments
  if (written.length !== files.length) return undefined
  // Files that belong to the HTML are written before the others.
  const rank = (file: OutgoingAttachment) => (isRelatedFile(content, file) ? 0 : 1)
  const order = files.toSorted((one, other) => rank(one) - rank(other))
  return files.flatMap((file) => {
    const leaf = written[order.indexOf(file)]
    if (!leaf) return []
    const part = leaf.part
      .split('.')
      .map((number) => Number(number) - 1)
      .join('.')
    const { encoding } = leaf.node
    const size =
      encoding === 'base64'
        ? file.sizeBytes
        : decodeTransfer(parsed.contentOf(leaf.part) ?? new Uint8Array(), encoding).length
    return [
      {
        id: encodeAttachmentId({ part, sizeBytes: size }),
        grant_id: grantId,
        filename: file.filename,
        content_type: file.contentType,
        size,
        is_inline: file.isInline,
        ...(file.contentId === undefined ? {} : { content_id: file.contentId }),
      },
    ]
  })
}
