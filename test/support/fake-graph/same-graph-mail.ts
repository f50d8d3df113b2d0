import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { decodeWords } from 'postal-mime'
import type { OutgoingAttachment, OutgoingMessage } from '../../../src/core/ports/outgoing.ts'
import { isRelatedFile } from '../../../src/formats/mime/compose-message.ts'
import { assertSameMail, ended, expected } from '../same-mail.ts'
import type { FakeAddress, FakeMessage } from './seed.ts'

/**
 * Compares a message as Graph keeps it with the one that was to be sent: people, subject, text, headers, files byte
 * by byte, in order. A source it was made of is read by a parser that is not ours as well.
 */
export async function assertSameGraphMail(copy: FakeMessage, message: OutgoingMessage): Promise<void> {
  assert.equal(copy.subject, message.subject, 'subject')
  assert.deepEqual(
    { ...copy.body, content: ended(copy.body?.content ?? '') },
    { contentType: message.isPlaintext ? 'text' : 'html', content: ended(message.body) },
    'body',
  )
  if (message.from) assert.deepEqual(people([copy.from]), expected([message.from]), 'from')
  assert.deepEqual(people(copy.toRecipients), expected(message.to), 'to')
  assert.deepEqual(people(copy.ccRecipients), expected(message.cc), 'cc')
  assert.deepEqual(people(copy.bccRecipients), expected(message.bcc), 'bcc')
  assert.deepEqual(people(copy.replyTo), expected(message.replyTo), 'replyTo')
  for (const { name, value } of message.headers) {
    const found = copy.internetMessageHeaders?.filter(
      (header) => header.name.toLowerCase() === name.toLowerCase(),
    )
    assert.deepEqual(
      found?.map((header) => decodeWords(header.value)),
      [value],
      name,
    )
  }
  // In a source the files beside the HTML come first.
  const isFirst = (file: OutgoingAttachment) => copy.source !== undefined && isRelatedFile(message, file)
  const wanted = message.attachments.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)))
  const files = copy.attachments.map(({ name, contentType, isInline, contentId }) => ({
    name,
    type: bare(contentType ?? ''),
    isInline,
    contentId: contentId ?? undefined,
  }))
  assert.deepEqual(
    files,
    wanted.map(({ filename, contentType, isInline, contentId }) => ({
      name: filename,
      type: bare(contentType),
      isInline,
      contentId,
    })),
    'files',
  )
  for (const [at, file] of wanted.entries()) {
    const bytes = await buffer(file.open())
    assert.ok(copy.attachments[at]?.content?.equals(bytes), `the bytes of ${file.filename}`)
  }
  if (copy.source) {
    const fileBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const isWhole = copy.source.length > fileBytes
    await assertSameMail(copy.source, isWhole ? message : { ...message, attachments: [] }, { withBcc: true })
  }
}

function bare(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase()
}

function people(list: readonly (FakeAddress | undefined)[] | undefined) {
  return expected(
    (list ?? []).map((one) => ({
      email: one?.emailAddress.address ?? '',
      ...(one?.emailAddress.name === undefined ? {} : { name: one.emailAddress.name }),
    })),
  )
}
