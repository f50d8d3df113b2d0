import type { OpenedAttachment } from '../../core/ports/mail.ts'
import { ByteAnswer } from '../route.ts'

/**
 * Makes the answer that downloads an attachment. Its type is always `application/octet-stream`: the real one is in
 * the attachment's metadata, and nothing a sender wrote is shown by a browser as a page of this origin.
 * @see contract/email.md 9.2
 */
export function downloadOf({ attachment, sizeBytes, content }: OpenedAttachment): ByteAnswer {
  return new ByteAnswer(content, {
    'content-type': 'application/octet-stream',
    'content-disposition': dispositionOf(attachment.filename),
    'x-content-type-options': 'nosniff',
    ...(sizeBytes === undefined ? {} : { 'content-length': String(sizeBytes) }),
  })
}

/** RFC 6266 with RFC 8187; what is no Unicode (half of a surrogate pair) is replaced by way of the buffer. */
function dispositionOf(filename: string): string {
  if (filename === '') return 'attachment'
  const encoded = encodeURIComponent(Buffer.from(filename).toString()).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename*=UTF-8''${encoded}`
}
