import { parseAddressList } from '../../formats/addresses.ts'
import type { SeedMessage, SeedPart } from '../types.ts'

const TERM = /(-?)(?:([a-z][a-z0-9]*):)?(?:"([^"]*)"|\(([^)]*)\)|\{([^}]*)\}|([^\s"(){}]+))/gi

/**
 * Searches as Gmail does, as far as its operators are used here: from, to (Cc and Bcc too), cc, bcc, subject
 * (whole words), after and before (seconds), has:attachment, is:unread, is:starred, in, label, rfc822msgid, `-` and
 * `{}`; words else.
 */
export function matches(q: string, message: SeedMessage): boolean {
  return [...q.matchAll(TERM)].every((term) => termMatches(term, message))
}

function termMatches(term: RegExpMatchArray, message: SeedMessage): boolean {
  const [, minus, field, quoted, bracketed, either, word] = term
  const holds =
    either === undefined
      ? operator(field?.toLowerCase(), quoted ?? bracketed ?? word ?? '', message)
      : [...either.matchAll(TERM)].some((inner) => termMatches(inner, message))
  return holds !== (minus === '-')
}

function operator(field: string | undefined, value: string, message: SeedMessage): boolean {
  switch (field) {
    case 'from':
      return mentions(message, ['From'], value)
    case 'to':
      return mentions(message, ['To', 'Cc', 'Bcc'], value)
    case 'cc':
      return mentions(message, ['Cc'], value)
    case 'bcc':
      return mentions(message, ['Bcc'], value)
    case 'subject':
      return hasWords(header(message, 'Subject'), value)
    case 'after':
      return Math.floor(message.internalDateMs / 1000) >= Number(value)
    case 'before':
      return Math.floor(message.internalDateMs / 1000) < Number(value)
    case 'has':
      return value === 'attachment' && hasFile(message.root)
    case 'rfc822msgid':
      return bare(header(message, 'Message-ID')) === bare(value)
    case 'in':
    case 'label':
      return value.toLowerCase() === 'anywhere' || message.labelIds.includes(labelOf(value))
    case 'is':
      return message.labelIds.includes(value.toUpperCase())
    default:
      return hasWords(`${header(message, 'Subject')} ${message.snippet}`, value)
  }
}

function header(message: SeedMessage, name: string): string {
  return message.headers.find(([found]) => found.toLowerCase() === name.toLowerCase())?.[1] ?? ''
}

function bare(messageId: string): string {
  return messageId.trim().replace(/^<(.*)>$/, '$1')
}

function labelOf(name: string): string {
  const upper = name.toUpperCase()
  return upper === 'DRAFTS' ? 'DRAFT' : /^LABEL_\d+$/.test(upper) ? name : upper
}

/** Gmail finds an address also by a part of it. */
function mentions(message: SeedMessage, names: readonly string[], value: string): boolean {
  const wanted = value.trim().toLowerCase()
  return names
    .flatMap((name) => parseAddressList(header(message, name)))
    .some(
      ({ email, name }) =>
        email.toLowerCase().includes(wanted) || (name ?? '').toLowerCase().includes(wanted),
    )
}

function hasWords(text: string, wanted: string): boolean {
  const words = (value: string) =>
    ` ${
      value
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu)
        ?.join(' ') ?? ''
    } `
  return words(text).includes(words(wanted))
}

function hasFile(part: SeedPart): boolean {
  return part.disposition === 'attachment' || (part.parts ?? []).some(hasFile)
}
