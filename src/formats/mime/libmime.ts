import { createRequire } from 'node:module'
import type Libmime from 'libmime'
import type * as Charset from 'libmime/lib/charset'

let library: typeof Libmime | undefined
let charset: typeof Charset | undefined

/** Loads the library when mail is first read: with its tables of charsets it is half a megabyte of source. */
export function libmime(): typeof Libmime {
  library ??= createRequire(import.meta.url)('libmime') as typeof Libmime
  return library
}

/** Loads its charsets when a text has one that the runtime lacks. */
export function libmimeCharset(): typeof Charset {
  charset ??= createRequire(import.meta.url)('libmime/lib/charset') as typeof Charset
  return charset
}
