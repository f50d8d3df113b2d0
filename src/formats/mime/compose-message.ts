import { Readable } from 'node:stream'
import type { MailComposerOptions } from 'nodemailer/lib/mail-composer'
import { textOfHtml } from '../snippet.ts'

/** An address to write. */
export interface MailAddress {
  readonly email: string
  readonly name?: string
}

/** A file to write into a message. */
export interface MailFile {
  readonly filename: string
  /** full header value, parameters included */
  readonly contentType: string
  /** without angle brackets */
  readonly contentId?: string
  readonly isInline: boolean
  /** Called when its bytes are due. */
  open(): Readable
}

/** A message to write as RFC 5322 source. */
export interface MailContent {
  readonly from: MailAddress
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  readonly bcc: readonly MailAddress[]
  readonly replyTo: readonly MailAddress[]
  readonly subject: string
  /** HTML; plain text where `isPlaintext` */
  readonly body: string
  readonly isPlaintext: boolean
  readonly attachments: readonly MailFile[]
  /** Further headers, in order. Those that tell the structure (Content-*, MIME-Version) are left out. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** with angle brackets */
  readonly messageId: string
  /** Unix seconds */
  readonly date: number
  /** Message-IDs with angle brackets, oldest first */
  readonly references?: readonly string[]
  readonly inReplyTo?: string
}

export interface ComposeOptions {
  /** Whether the source carries Bcc: providers read recipients from it, SMTP must not pass it on. */
  readonly keepsBcc: boolean
}

/**
 * Writes a message as RFC 5322 source with CRLF line ends: text and HTML as alternatives (the text made of the
 * HTML), inline files beside the HTML, everything else behind them. Nothing of it can break out of its header.
 * Header and body are 7-bit, but for addresses with a UTF-8 local part (RFC 6532) and attached messages.
 *
 * @returns a stream: attached files are opened and read as it is read, and it fails when one of them does
 * @see RFC 5322, RFC 2046 section 5.1, RFC 2047, RFC 2231
 */
export async function composeMessage(content: MailContent, options: ComposeOptions): Promise<Readable> {
  // Loaded with the first message: most requests only read.
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const node = new MailComposer(optionsOf(content)).compile()
  node.keepBcc = options.keepsBcc
  return node.createReadStream()
}

/** Writes the whole source into memory. */
export async function composeToBuffer(content: MailContent, options: ComposeOptions): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of await composeMessage(content, options)) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

/** Whether a file goes beside the HTML, where `cid:` finds it; the others come behind the text, in order. */
export function isRelatedFile(content: Pick<MailContent, 'isPlaintext'>, file: MailFile): boolean {
  return !content.isPlaintext && file.isInline && file.contentId !== undefined && file.contentId !== ''
}

/** Tells whether the source may hold bytes over 127: attached messages are passed on as they are. */
export function mayBe8Bit(content: Pick<MailContent, 'attachments'>): boolean {
  return content.attachments.some((file) => /^\s*message\//i.test(file.contentType))
}

function optionsOf(content: MailContent): MailComposerOptions {
  const { isPlaintext } = content
  // A lone CR is no line end in mail, and some servers take it for one.
  const body = content.body.replace(/\r\n?|\n/g, '\r\n')
  const text = isPlaintext ? body : textOfHtml(body)
  return {
    from: toAddress(content.from),
    to: content.to.map(toAddress),
    cc: content.cc.map(toAddress),
    bcc: content.bcc.map(toAddress),
    ...(content.replyTo.length === 0 ? {} : { replyTo: content.replyTo.map(toAddress) }),
    subject: breakable(content.subject),
    // Not as `text` and `html`, which leave an empty one out: a message with a file alone would be that file.
    alternatives: [
      { contentType: 'text/plain; charset=utf-8', content: text },
      ...(isPlaintext ? [] : [{ contentType: 'text/html; charset=utf-8', content: body }]),
    ],
    attachments: content.attachments.map((file) => toAttachment(content, file)),
    headers: content.headers
      .filter(({ name }) => !/^\s*(content-|mime-version\s*$)/i.test(name))
      .map(({ name, value }) => ({ key: name, value })),
    messageId: content.messageId,
    date: new Date(content.date * 1000),
    ...(content.inReplyTo === undefined ? {} : { inReplyTo: content.inReplyTo }),
    ...(content.references === undefined || content.references.length === 0
      ? {}
      : { references: [...content.references] }),
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function toAttachment(content: MailContent, file: MailFile) {
  const cid = file.contentId === undefined ? '' : asciiId(file.contentId)
  const isRelated = isRelatedFile(content, file)
  return {
    filename: file.filename,
    content: openedLater(file),
    contentType: singlePartType(file.contentType),
    contentDisposition: file.isInline ? 'inline' : 'attachment',
    ...(isRelated ? { cid } : {}),
    ...(!isRelated && cid !== '' ? { headers: { 'Content-ID': `<${cid}>` } } : {}),
  }
}

/** A file that claims to be a multipart would not be encoded, and its bytes would become parts of the message. */
function singlePartType(contentType: string): string {
  const isType = /^\s*[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;|$)/.test(contentType)
  return isType && !/^\s*multipart\//i.test(contentType) ? contentType : 'application/octet-stream'
}

/** RFC 5322 allows ASCII without blanks only; RFC 2392 writes others with percent signs. */
function asciiId(contentId: string): string {
  return contentId
    .replace(/[<>\r\n]/g, '')
    .replace(/[^!-~]+/g, (text) => encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8')))
}

/** Many files of one message must not all be open while the first is read. */
function openedLater(file: MailFile): Readable {
  async function* read() {
    yield* file.open()
  }
  return Readable.from(read(), { objectMode: false })
}

function toAddress({ email, name }: MailAddress) {
  return { address: email, name: breakable(name ?? '') }
}

/** Lines end after 998 bytes (RFC 5322 section 2.1.1), and only a blank lets a header go on in the next one. */
function breakable(text: string): string {
  return text.replace(/[!-~]{800}(?=[!-~])/g, '$& ')
}
