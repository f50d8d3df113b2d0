import { decodeAttachmentId, fitHostedId } from '../../formats/attachment-id.ts'
import { parseMessage } from '../../formats/mime/parse-message.ts'
import type { MimePart } from '../../formats/mime/mime-part.ts'
import { decodeTransfer } from '../../formats/mime/transfer-encoding.ts'
import type { AttachmentPart } from './to-wire.ts'

/**
 * Finds an attachment by its id: ours (`a0.`), or that of hosted services, `v0:` with name, content type and size
 * (contract/email.md 9.3).
 */
export function findAttachmentPart(parts: readonly AttachmentPart[], id: string): AttachmentPart | undefined {
  if (decodeAttachmentId(id)) return parts.find(({ attachment }) => attachment.id === id)
  const files = parts.map(({ attachment }) => attachment)
  const found = fitHostedId(id, files)?.exact
  return parts.find(({ attachment }) => attachment === found)
}

/**
 * Takes the bytes of a part out of a message's source, decoded.
 *
 * @param partId  as Gmail numbers parts: from 0, `1.0`
 */
export function readSourcePart(source: Uint8Array, partId: string): Uint8Array | undefined {
  const part = partId
    .split('.')
    .map((step) => Number(step) + 1)
    .join('.')
  const message = parseMessage(source)
  const node = nodeAt(message.structure, part)
  const bytes = message.contentOf(part)
  return node && bytes && decodeTransfer(bytes, node.encoding)
}

function nodeAt(node: MimePart, part: string): MimePart | undefined {
  if ((node.part ?? '1') === part && !node.childNodes) return node
  return node.childNodes?.map((child) => nodeAt(child, part)).find((found) => found !== undefined)
}
