import type { SearchObject } from 'imapflow'
import { ProviderError } from '../../kit/provider-error.ts'

/** Search keys without a value, and what they are in imapflow's terms. */
const FLAGS: { readonly [key: string]: SearchObject } = {
  ALL: { all: true },
  ANSWERED: { answered: true },
  DELETED: { deleted: true },
  DRAFT: { draft: true },
  FLAGGED: { flagged: true },
  NEW: { new: true },
  OLD: { old: true },
  RECENT: { recent: true },
  SEEN: { seen: true },
  UNANSWERED: { answered: false },
  UNDELETED: { deleted: false },
  UNDRAFT: { draft: false },
  UNFLAGGED: { flagged: false },
  UNSEEN: { seen: false },
}

const TEXTS: { readonly [key: string]: (value: string) => SearchObject } = {
  BCC: (bcc) => ({ bcc }),
  BODY: (body) => ({ body }),
  CC: (cc) => ({ cc }),
  FROM: (from) => ({ from }),
  SUBJECT: (subject) => ({ subject }),
  TEXT: (text) => ({ text }),
  TO: (to) => ({ to }),
}

const DATES: { readonly [key: string]: (value: Date) => SearchObject } = {
  BEFORE: (before) => ({ before }),
  ON: (on) => ({ on }),
  SENTBEFORE: (sentBefore) => ({ sentBefore }),
  SENTON: (sentOn) => ({ sentOn }),
  SENTSINCE: (sentSince) => ({ sentSince }),
  SINCE: (since) => ({ since }),
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const LENGTH_LIMIT = 4000
const DEPTH_LIMIT = 20
const KEY_LIMIT = 200

type Token = { readonly kind: 'word' | 'string'; readonly text: string } | { readonly kind: 'open' | 'close' }

/**
 * Parses `search_query_native` as RFC 3501 search keys (section 6.4.4, `search-key` of section 9) into a query
 * that is compiled anew, so nothing of the text reaches the connection as it stands. Sequence numbers are not
 * taken: they mean nothing to a caller.
 * @throws ProviderError `invalid-request` that says what is wrong
 */
export function parseNativeSearch(text: string): SearchObject {
  if (text.length > LENGTH_LIMIT) throw wrong(`is longer than ${LENGTH_LIMIT} characters`)
  if (/[\r\n]/.test(text) || text.includes('\0')) throw wrong('must not contain line breaks or NUL')
  const reader = new TokenReader(tokensOf(text))
  const keys = readKeys(reader, 0)
  if (reader.peek()) throw wrong('has a closing bracket too many')
  if (keys.length === 0) throw wrong('is empty')
  return allOf(keys)
}

/** Joins queries so that all must match, also where two set the same key. */
export function allOf(queries: readonly SearchObject[]): SearchObject {
  const [only] = queries
  if (queries.length === 1 && only) return only
  const keys = queries.flatMap((query) => Object.keys(query))
  if (new Set(keys).size === keys.length) return Object.assign({}, ...queries)
  // imapflow's query object holds each key once. All of A, B: not (not A or not B).
  return { not: { or: queries.map((query) => ({ not: query })) } }
}

class TokenReader {
  readonly #tokens: readonly Token[]
  #at = 0
  keys = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at]
  }

  next(): Token | undefined {
    this.#at += 1
    return this.#tokens[this.#at - 1]
  }

  /** The value of a key. */
  value(key: string): string {
    const token = this.next()
    if (token?.kind !== 'word' && token?.kind !== 'string') throw wrong(`has no value after ${key}`)
    if (token.text === '') throw wrong(`has an empty value after ${key}`)
    return token.text
  }
}

function readKeys(reader: TokenReader, depth: number): SearchObject[] {
  const keys: SearchObject[] = []
  for (let token = reader.peek(); token && token.kind !== 'close'; token = reader.peek()) {
    keys.push(readKey(reader, depth))
  }
  return keys
}

function readKey(reader: TokenReader, depth: number): SearchObject {
  if (depth > DEPTH_LIMIT) throw wrong('is nested too deeply')
  if (++reader.keys > KEY_LIMIT) throw wrong(`has more than ${KEY_LIMIT} search keys`)
  const token = reader.next()
  if (token?.kind === 'open') {
    const keys = readKeys(reader, depth + 1)
    if (reader.next()?.kind !== 'close') throw wrong('has an opening bracket too many')
    if (keys.length === 0) throw wrong('has empty brackets')
    return allOf(keys)
  }
  if (token?.kind !== 'word') throw wrong('has a value or bracket where a search key should stand')
  const key = token.text.toUpperCase()
  const flag = FLAGS[key]
  if (flag) return flag
  const text = TEXTS[key]
  if (text) return text(reader.value(key))
  const date = DATES[key]
  if (date) return date(readDate(reader.value(key), key))
  switch (key) {
    case 'NOT':
      return { not: readKey(reader, depth + 1) }
    case 'OR':
      return { or: [readKey(reader, depth + 1), readKey(reader, depth + 1)] }
    case 'HEADER':
      return readHeader(reader)
    case 'KEYWORD':
      return { keyword: readKeyword(reader.value(key)) }
    case 'UNKEYWORD':
      return { unKeyword: readKeyword(reader.value(key)) }
    case 'LARGER':
      return { larger: readNumber(reader.value(key), key) }
    case 'SMALLER':
      return { smaller: readNumber(reader.value(key), key) }
    case 'UID':
      return { uid: readUidSet(reader.value(key)) }
    default:
      throw wrong(`has no such search key: ${token.text.slice(0, 40)}`)
  }
}

function readHeader(reader: TokenReader): SearchObject {
  const name = reader.value('HEADER')
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name) || /[(){%*"\\\]]/.test(name)) throw wrong('has a bad header name')
  const value = reader.next()
  if (value?.kind !== 'word' && value?.kind !== 'string') throw wrong('has no value after HEADER')
  // An empty value asks whether there is such a header.
  return { header: { [name]: value.text === '' ? true : value.text } }
}

function readKeyword(text: string): string {
  if (!/^[A-Za-z0-9$_.:+-]+$/.test(text)) throw wrong('has a bad keyword')
  return text
}

function readNumber(text: string, key: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw wrong(`needs a number after ${key}`)
  return Number(text)
}

function readUidSet(text: string): string {
  if (!/^(\d{1,10}|\*)(:(\d{1,10}|\*))?(,(\d{1,10}|\*)(:(\d{1,10}|\*))?)*$/.test(text))
    throw wrong('has a bad UID set')
  return text
}

function readDate(text: string, key: string): Date {
  const [, day, month, year] = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text) ?? []
  const monthAt = MONTHS.indexOf(month?.toLowerCase() ?? '')
  const date = new Date(Date.UTC(Number(year), monthAt, Number(day)))
  if (monthAt === -1 || date.getUTCDate() !== Number(day))
    throw wrong(`needs a date like 1-Feb-2026 after ${key}`)
  return date
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  // A quoted string, a bracket, or an atom. Literals ({5}) are not taken: they need line breaks.
  const pattern = /\s+|"((?:[^"\\]|\\["\\])*)"(?=[\s()]|$)|([()])|([^\s()"{\\%]+)/gy
  let at = 0
  while (at < text.length) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (!match) throw wrong(`can not be read at character ${at + 1}`)
    const [, quoted, bracket, word] = match
    if (quoted !== undefined) tokens.push({ kind: 'string', text: quoted.replace(/\\(["\\])/g, '$1') })
    if (bracket) tokens.push({ kind: bracket === '(' ? 'open' : 'close' })
    if (word !== undefined) tokens.push({ kind: 'word', text: word })
    at = pattern.lastIndex
  }
  return tokens
}

function wrong(problem: string): ProviderError {
  return new ProviderError('invalid-request', `search_query_native ${problem}`)
}
