import { Readable } from 'node:stream'
import type { OutgoingAttachment, OutgoingDraft } from '../../../src/core/ports/outgoing.ts'

/** A message to send; what a test is about is given. */
export function outgoing(more: Partial<OutgoingDraft> = {}): OutgoingDraft {
  return {
    to: [{ email: 'ben@globex.example', name: 'Ben Ito' }],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'Zahlen für Q1',
    body: '<p>Grüße</p>',
    isPlaintext: false,
    attachments: [],
    headers: [],
    messageId: '<made-1@grantway.example>',
    date: 1_768_470_000,
    ...more,
  }
}

/** A file whose bytes come in pieces; `opened` counts how often. */
export function outgoingFile(
  filename: string,
  content: Buffer,
  more: Partial<OutgoingAttachment> = {},
): OutgoingAttachment & { readonly opened: () => number } {
  let opened = 0
  return {
    filename,
    contentType: 'application/octet-stream',
    isInline: false,
    sizeBytes: content.length,
    open() {
      opened += 1
      const pieces = Array.from({ length: Math.ceil(content.length / 50_000) }, (_, at) =>
        content.subarray(at * 50_000, (at + 1) * 50_000),
      )
      return Readable.from(pieces)
    },
    opened: () => opened,
    ...more,
  }
}
