import { appError } from '../../../contract/errors.ts'
import type { MailFacts } from '../../ports/mail.ts'
import type { OutgoingMessage } from '../../ports/outgoing.ts'

/** Base64 in lines of 76 characters with CRLF. */
const LINE_BYTES = 57
const LINE_CHARS = 78

/**
 * Refuses what the provider would refuse for its size, before anything is sent. Never more than that: the estimate is
 * the least the message can be.
 * @throws AppError 413
 */
export function checkSize(
  facts: MailFacts | undefined,
  message: Pick<OutgoingMessage, 'body' | 'attachments'>,
): void {
  if (!facts) return
  const { maxMessageBytes, takesLargeUploads } = facts
  const sizes = message.attachments.map(({ sizeBytes }) => sizeBytes)
  const bytes = takesLargeUploads
    ? Math.max(0, ...sizes)
    : sizes.map(encodedSize).reduce((sum, size) => sum + size, Buffer.byteLength(message.body))
  if (bytes > maxMessageBytes) throw tooLarge(maxMessageBytes)
}

/** Refuses a raw source over the provider's ceiling. @throws AppError 413 */
export function checkSourceSize(facts: MailFacts | undefined, sizeBytes: number): void {
  if (facts && sizeBytes > facts.maxMessageBytes) throw tooLarge(facts.maxMessageBytes)
}

function encodedSize(sizeBytes: number): number {
  return Math.floor((sizeBytes * LINE_CHARS) / LINE_BYTES)
}

function tooLarge(maxBytes: number) {
  return appError(
    'message_too_large',
    `The message is larger than the provider takes: its ceiling is ${maxBytes} bytes, attachments encoded.`,
  )
}
