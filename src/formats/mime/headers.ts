import { parseAddressList, toParsedAddress, type ParsedAddress } from '../addresses.ts'
import { decodeCharset, decodeUnknown, isMislabelledUtf8 } from './charset.ts'
import { decodeTransfer } from './transfer-encoding.ts'
import { libmime } from './libmime.ts'

/** A header line as it stands in the message: unfolded, not MIME-decoded. */
export interface HeaderField {
  readonly name: string
  readonly value: string
}

/** A bound on work for hostile mail; real headers stay far below. */
const HEADER_LINES_LIMIT = 2000
const VALUE_LIMIT = 256 * 1024

/**
 * Reads a header block, duplicates kept in order (RFC 5322 section 2.2). Raw 8-bit text is taken as UTF-8 where
 * it is, else as windows-1252. Lines that are no header are left out; never throws.
 */
export function parseHeaderBlock(bytes: Uint8Array): readonly HeaderField[] {
  const fields: { name: string; value: string }[] = []
  for (const line of splitLines(bytes)) {
    const last = fields.at(-1)
    if (/^[ \t]/.test(line)) {
      if (last && last.value.length < VALUE_LIMIT) last.value += line.slice(0, VALUE_LIMIT)
      continue
    }
    const match = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/.exec(line)
    if (!match?.[1]) continue
    if (fields.length >= HEADER_LINES_LIMIT) break
    fields.push({ name: match[1], value: line.slice(match[0].length, VALUE_LIMIT).trimStart() })
  }
  return fields.map(({ name, value }) => ({ name, value: value.trim() }))
}

function* splitLines(bytes: Uint8Array): Generator<string> {
  let from = 0
  while (from < bytes.length) {
    const end = bytes.indexOf(0x0a, from)
    const stop = end === -1 ? bytes.length : end
    const line = decodeUnknown(bytes.subarray(from, bytes[stop - 1] === 0x0d ? stop - 1 : stop))
    if (line === '') return
    yield line
    from = stop + 1
  }
}

/** The value of the first header of that name; undefined where there is none. */
export function headerValue(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((field) => field.name.toLowerCase() === name)?.value
}

/** Decodes the encoded words of a header value for display (RFC 2047). Never throws. */
export function decodeHeaderText(value: string): string {
  try {
    return libmime()
      .decodeWords(relabelled(value.slice(0, VALUE_LIMIT)))
      .replace(/[\r\n]+/g, ' ')
  } catch {
    return value // words that break the decoder are shown as they are
  }
}

/** Encoded words of one charset that follow each other: a character may begin in one and end in the next. */
const WORDS = /=\?([\w-]+)\?[qb]\?[^?]*\?=(?:\s*=\?\1\?[qb]\?[^?]*\?=)*/gi

/**
 * Puts encoded words right that libmime would read as garbage: UTF-8 under another label (see `decodeCharset`), and raw
 * 8-bit characters, which stand for themselves.
 */
function relabelled(value: string): string {
  return value.replace(WORDS, (run, charset: string) => {
    const words = [...run.matchAll(/\?([qb])\?([^?]*)\?=/gi)].map(([, encoding = '', text = '']) => ({
      isBase64: encoding.toLowerCase() === 'b',
      text,
    }))
    if (/[^\0-\x7f]/.test(run) && words.every(({ isBase64 }) => !isBase64)) {
      return words.map(({ text }) => rawWord(text, charset)).join('')
    }
    const bytes = words.map(({ isBase64, text }) =>
      isBase64 ? Buffer.from(text, 'base64') : wordBytes(text),
    )
    if (!isMislabelledUtf8(Buffer.concat(bytes), charset)) return run
    return run.replace(/=\?[\w-]+\?(?=[qb]\?)/gi, '=?utf-8?')
  })
}

function rawWord(text: string, charset: string): string {
  const unescaped = text.replace(/(?:=[\da-f]{2})+/gi, (escaped) =>
    decodeCharset(wordBytes(escaped), charset),
  )
  return unescaped.replaceAll('_', ' ')
}

function wordBytes(text: string): Uint8Array {
  return decodeTransfer(Buffer.from(text.replaceAll('_', ' '), 'latin1'), 'quoted-printable')
}

/** Reads the addresses of every header of that name, names decoded. */
export function headerAddresses(fields: readonly HeaderField[], name: string): ParsedAddress[] {
  return fields
    .filter((field) => field.name.toLowerCase() === name)
    .flatMap((field) => parseAddressList(field.value))
    .flatMap(({ email, name: shown }) => {
      const decoded = shown === undefined ? undefined : decodeHeaderText(shown)
      // The whole mailbox in one encoded word: wrong by RFC 2047 section 5, and seen.
      if (email === '' && decoded?.includes('@') && decoded !== shown) return parseAddressList(decoded)
      return [toParsedAddress(email, decoded)]
    })
}

/** A header value with parameters, read: Content-Type, Content-Disposition. */
export interface ParameterizedValue {
  readonly value: string
  readonly parameters: { readonly [name: string]: string }
}

/** Reads `value; name=value …` with encoded and continued parameters (RFC 2231, RFC 2047). Never throws. */
export function parseParameterized(text: string): ParameterizedValue {
  try {
    const { value, params } = libmime().parseHeaderValue(text.slice(0, VALUE_LIMIT))
    const parameters: { [name: string]: string } = {}
    for (const [name, parameter] of Object.entries(params)) {
      parameters[name.toLowerCase()] = decodeHeaderText(parameter)
    }
    return { value: value.trim().toLowerCase(), parameters }
  } catch {
    return { value: text.split(';')[0]?.trim().toLowerCase() ?? '', parameters: {} } // parameters are lost
  }
}
