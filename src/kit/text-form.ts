import { isUtf8 } from 'node:buffer'
import { parseJson } from './json.ts'

/**
 * How strings of an answer hold their text. In bytes, each character stands for one byte of the text's UTF-8: such
 * strings are read, parsed, joined and written at half the cost, as long as nobody looks at their characters. ASCII is
 * the same in both forms.
 */
export interface TextForm {
  /** Gives the characters of a text in this form. */
  readonly read: (text: string) => string
  /** Puts characters into this form. */
  readonly write: (characters: string) => string
}

const asItIs = (text: string): string => text

export const IN_CHARACTERS: TextForm = { read: asItIs, write: asItIs }

export const IN_BYTES: TextForm = {
  read: (text) => (isAscii(text) ? text : Buffer.from(text, 'latin1').toString('utf8')),
  write: (characters) =>
    isAscii(characters) ? characters : Buffer.from(characters, 'utf8').toString('latin1'),
}

const BEYOND_ASCII = /[\u0080-\uffff]/

/** Tells whether a text is the same in both forms. */
export function isAscii(text: string): boolean {
  return !BEYOND_ASCII.test(text)
}

/**
 * Reads JSON with its strings in bytes.
 * @returns undefined where that can't be: no JSON, broken UTF-8, or `\u…`, which names a character and no bytes
 */
export function parseJsonInBytes(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('latin1')
  return text.includes(String.raw`\u`) ? undefined : parseJson(text)
}
