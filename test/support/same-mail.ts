import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { domainToASCII } from 'node:url'
import PostalMime, { type Address, decodeWords } from 'postal-mime'
import type { OutgoingMessage } from '../../src/core/ports/outgoing.ts'

interface Named {
  readonly email: string
  readonly name?: string | undefined
}

/** How providers change what they are given; whatever is not named must be the same. */
export interface Leniency {
  /** The source carries Bcc. */
  readonly withBcc: boolean
  /** Headers of the message that the provider does not take over, lower case. */
  readonly ignoredHeaders?: readonly string[]
}

/**
 * Reads a source by a parser that is not ours, and compares it with the message that was to be sent: addresses,
 * names, subject, texts, files byte by byte, further headers.
 */
export async function assertSameMail(
  source: Uint8Array,
  message: OutgoingMessage,
  leniency: Leniency,
): Promise<void> {
  const mail = await PostalMime.parse(source, {
    attachmentEncoding: 'arraybuffer',
    forceRfc822Attachments: true,
  })
  assert.equal(mail.subject ?? '', message.subject, 'subject')
  assert.equal(mail.messageId, message.messageId, 'Message-ID')
  assert.equal(Math.floor(Date.parse(mail.date ?? '') / 1000), message.date, 'Date')
  if (message.from) assert.deepEqual(named(mail.from ? [mail.from] : []), expected([message.from]), 'From')
  for (const field of ['to', 'cc', 'replyTo'] as const) {
    assert.deepEqual(named(mail[field] ?? []), expected(message[field]), field)
  }
  assert.deepEqual(named(mail.bcc ?? []), leniency.withBcc ? expected(message.bcc) : [], 'bcc')
  const body = message.isPlaintext ? mail.text : mail.html
  assert.equal(ended(body ?? ''), ended(message.body), 'body')
  assert.equal(message.isPlaintext && mail.html !== undefined, false, 'plain text must have no HTML')
  for (const { name, value } of message.headers) {
    if (leniency.ignoredHeaders?.includes(name.toLowerCase())) continue
    const found = mail.headers.find((header) => header.key === name.toLowerCase())
    assert.equal(decodeWords(found?.value ?? ''), value, name)
  }
  const files = await Promise.all(
    message.attachments.map(async (file) => ({
      filename: file.filename,
      type: file.contentType.split(';')[0]?.trim(),
      disposition: file.isInline ? 'inline' : 'attachment',
      contentId: file.contentId === undefined ? undefined : `<${file.contentId}>`,
      content: textEnds(file.contentType, await buffer(file.open())),
    })),
  )
  const found = mail.attachments.map((file) => ({
    filename: file.filename ?? '',
    type: file.mimeType,
    disposition: file.disposition ?? '',
    contentId: file.contentId,
    content: textEnds(file.mimeType, bytesOf(file.content)),
  }))
  const order = (a: { filename: string; content: string }, b: { filename: string; content: string }) =>
    a.filename < b.filename ? -1 : a.filename > b.filename ? 1 : a.content < b.content ? -1 : 1
  const sortedFound = found.toSorted(order)
  for (const [at, wanted] of files.toSorted(order).entries()) {
    const { content, ...facts } = sortedFound[at] ?? { content: undefined }
    const { content: bytes, ...wantedFacts } = wanted
    assert.deepEqual(facts, wantedFacts, `file ${wanted.filename}`)
    assert.ok(content === bytes, `the bytes of ${wanted.filename}`)
  }
  assert.equal(found.length, files.length, 'number of files')
}

/** The parser brings line ends of these two types to its own form. */
function textEnds(type: string, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1')
  return /^(message\/|text\/calendar)/i.test(type) ? ended(text) : text
}

function bytesOf(content: ArrayBuffer | Uint8Array | string): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content)
}

function named(addresses: readonly Address[]): readonly Named[] {
  return addresses.map(({ address, name }) => ({ email: address ?? '', name: name ?? '' }))
}

/** Domains may travel in their ASCII form. */
export function expected(addresses: readonly Named[]): readonly Named[] {
  return addresses.map(({ email, name }) => {
    const [local = '', domain = ''] = email.split('@')
    return { email: `${local}@${domainToASCII(domain)}`, name: name ?? '' }
  })
}

/** A line end at the very end belongs to the transport. */
export function ended(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\n+$/, '')
}
