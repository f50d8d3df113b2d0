import { headerAddresses, headerValue, parseHeaderBlock } from '../../formats/mime/headers.ts'
import type { HeaderField } from '../../formats/mime/headers.ts'
import { ProviderError } from '../../kit/provider-error.ts'

/** A complete source, made fit to be sent. */
export interface RawSource {
  /** with Bcc, for the sender's own copy */
  readonly kept: Buffer
  /** without Bcc */
  readonly sent: Buffer
  readonly from: string
  readonly to: readonly string[]
  readonly headers: readonly HeaderField[]
  readonly is8Bit: boolean
}

/** What a source gets where it has none. */
export interface RawDefaults {
  readonly from: string
  /** with angle brackets */
  readonly messageId: string
  /** Unix seconds */
  readonly date: number
  /** A draft gets that date instead of its own, and loses what mail clients noted in it for themselves. */
  readonly isDraft: boolean
}

/** Which account a draft was written with and where its copy goes: Thunderbird and its relatives (checked 2026-11). */
const CLIENT_NOTES: readonly string[] = [
  'x-mozilla-draft-info',
  'x-mozilla-status',
  'x-mozilla-status2',
  'x-mozilla-keys',
  'x-identity-key',
  'x-account-key',
  'x-unsent',
  'fcc',
]

/**
 * Prepares a complete RFC 5322 source: recipients are those of To, Cc and Bcc; From, Date and Message-ID are added
 * where they are missing; lines end with CRLF. Everything else stays as it is.
 * @throws ProviderError `invalid-request` when nobody is to get it
 */
export function prepareRaw(source: Uint8Array, defaults: RawDefaults): RawSource {
  const text = Buffer.from(source)
    .toString('latin1')
    .replace(/\r\n?|\n/g, '\r\n')
  const { lines, body } = split(text)
  const fields = parseHeaderBlock(Buffer.from(lines.join(''), 'latin1'))
  const to = ['to', 'cc', 'bcc'].flatMap((name) => headerAddresses(fields, name)).map(({ email }) => email)
  const recipients = [...new Set(to.filter((email) => email.includes('@')))]
  if (recipients.length === 0) {
    throw new ProviderError('invalid-request', 'The message names no recipient in To, Cc or Bcc.')
  }
  const [sender] = headerAddresses(fields, 'from')
  const has = (name: string) => (headerValue(fields, name) ?? '') !== ''
  const added = [
    ...(sender?.email ? [] : [`From: ${defaults.from}\r\n`]),
    ...(has('date') && !defaults.isDraft
      ? []
      : [`Date: ${new Date(defaults.date * 1000).toUTCString().replace('GMT', '+0000')}\r\n`]),
    ...(has('message-id') ? [] : [`Message-ID: ${defaults.messageId}\r\n`]),
  ]
  const replaced = added.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  const dropped = [...replaced, ...(defaults.isDraft ? CLIENT_NOTES : [])]
  const kept = [...added, ...lines.filter((line) => !dropped.includes(nameOf(line)))]
  const sent = kept.filter((line) => !['bcc', 'resent-bcc'].includes(nameOf(line)))
  const write = (parts: readonly string[]) => Buffer.from(`${parts.join('')}\r\n${body}`, 'latin1')
  const wire = write(sent)
  return {
    kept: write(kept),
    sent: wire,
    from: sender?.email || defaults.from,
    to: recipients,
    headers: parseHeaderBlock(wire),
    is8Bit: wire.some((byte) => byte > 127),
  }
}

/** Header lines with their continuations, each with its line end, and what comes after the empty line. */
function split(text: string): { readonly lines: readonly string[]; readonly body: string } {
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n')
  const block = end === -1 ? text : text.slice(0, end)
  const body = end === -1 ? '' : text.slice(end === 0 ? 2 : end + 4)
  const lines: string[] = []
  for (const line of block.split('\r\n')) {
    if (line === '') continue
    if (/^[ \t]/.test(line) && lines.length > 0) lines[lines.length - 1] += `${line}\r\n`
    else lines.push(`${line}\r\n`)
  }
  return { lines, body }
}

function nameOf(line: string): string {
  return line
    .slice(0, Math.max(line.indexOf(':'), 0))
    .trim()
    .toLowerCase()
}
