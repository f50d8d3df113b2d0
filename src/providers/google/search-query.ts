import type { MessageQuery } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'

/** The filters of a list in Gmail's words. */
export interface GmailFilter {
  readonly q: string
  readonly labelIds: readonly string[]
  readonly includeSpamTrash: boolean
}

const HIDDEN_LABELS: readonly string[] = ['SPAM', 'TRASH']
const NATIVE_EXCLUDES = [
  'subject',
  'from',
  'to',
  'cc',
  'bcc',
  'anyEmail',
  'unread',
  'starred',
  'hasAttachment',
  'threadId',
  'receivedBefore',
  'receivedAfter',
] as const

/**
 * Refuses what Google lacks.
 * @throws ProviderError `unsupported` for Microsoft's shared mailboxes, `invalid-request` for a native search
 *         beside other filters (contract/email.md 11)
 */
export function checkQuery(query: MessageQuery): void {
  if (query.sharedFrom !== undefined) throw unsupported('shared_from')
  if (query.sharedFolderId !== undefined) throw unsupported('shared_folder_id')
  if (query.searchQueryNative === undefined) return
  const other = NATIVE_EXCLUDES.find((name) => query[name] !== undefined)
  if (other !== undefined) {
    throw new ProviderError(
      'invalid-request',
      'search_query_native can only be combined with in, limit, page_token, select and fields.',
    )
  }
}

/** The error for a parameter of another provider. */
export function unsupported(parameter: string): ProviderError {
  return new ProviderError('unsupported', `${parameter} is not supported for Google.`)
}

/** Puts the filters into `q` and label ids (contract/email.md 12.2). What `q` finds too much is checked later. */
export function toGmailFilter(query: MessageQuery): GmailFilter {
  const words = [
    ...(query.searchQueryNative === undefined ? [] : [query.searchQueryNative]),
    ...subjectWords(query.subject),
    ...(query.from === undefined ? [] : [`from:(${address(query.from)})`]),
    ...(query.to === undefined ? [] : [`to:(${address(query.to)})`]),
    ...(query.cc === undefined ? [] : [`cc:(${address(query.cc)})`]),
    ...(query.bcc === undefined ? [] : [`bcc:(${address(query.bcc)})`]),
    ...anyWords(query.anyEmail),
    // Gmail compares whole seconds; one more on each side costs nothing, the exact bound is checked locally.
    ...(query.receivedAfter === undefined ? [] : [`after:${Math.max(0, query.receivedAfter - 1)}`]),
    ...(query.receivedBefore === undefined ? [] : [`before:${query.receivedBefore + 1}`]),
    ...(query.hasAttachment === undefined
      ? []
      : [query.hasAttachment ? 'has:attachment' : '-has:attachment']),
    ...(query.unread === false ? ['-is:unread'] : []),
    ...(query.starred === false ? ['-is:starred'] : []),
  ]
  return {
    q: words.join(' '),
    labelIds: [
      ...(query.in === undefined ? [] : [query.in]),
      ...(query.unread === true ? ['UNREAD'] : []),
      ...(query.starred === true ? ['STARRED'] : []),
    ],
    includeSpamTrash: query.in !== undefined && HIDDEN_LABELS.includes(query.in),
  }
}

/** Gmail has no way to write a quote inside quotes: it splits words there anyway. */
function subjectWords(subject: string | undefined): readonly string[] {
  const text = subject?.replace(/["\s]+/g, ' ').trim()
  return text ? [`subject:"${text}"`] : []
}

function anyWords(addresses: readonly string[] | undefined): readonly string[] {
  if (!addresses || addresses.length === 0) return []
  const words = addresses
    .map(address)
    .flatMap((one) => ['from', 'to', 'cc', 'bcc'].map((where) => `${where}:${one}`))
  return [`{${words.join(' ')}}`]
}

/** An address goes into the search language: only what can't be an operator there. */
function address(text: string): string {
  if (/^[^\s(){}"]{1,320}$/.test(text)) return text
  throw new ProviderError(
    'invalid-request',
    `${text.slice(0, 80)} is not an email address Gmail can search for.`,
  )
}
