import type { OutgoingMessage } from '../../core/ports/outgoing.ts'
import { isRelatedFile, type MailContent } from '../../formats/mime/compose-message.ts'
import type { Attachment } from '../../contract/message.ts'
import { findMessage } from './find-message.ts'
import type { MailboxView } from './list-messages.ts'

/** Ids of the ancestors of a reply, oldest first; the last one is the message replied to. */
export type Ancestors = readonly string[]

/** A chain of replies that is longer keeps its root and its latest ones: some servers cut long headers. */
const ANCESTORS_LIMIT = 40

/**
 * Finds what a reply's References are made of: those of the original and its Message-ID (RFC 5322 section 3.6.4).
 * @throws ProviderError `not-found`
 */
export async function ancestorsOf(view: MailboxView, replyTo: string): Promise<Ancestors> {
  const found = await findMessage(view, replyTo, { fields: 'include_basic_headers', select: ['id'] })
  const headers = 'headers' in found ? (found.headers ?? []) : []
  const idsIn = (name: string) =>
    headers
      .filter((header) => header.name.toLowerCase() === name)
      .flatMap((header) => header.value.match(/<[!-~]+?>/g) ?? [])
  const references = idsIn('references')
  const older = references.length > 0 ? references : idsIn('in-reply-to').slice(0, 1)
  const all = [...new Set([...older, ...idsIn('message-id').slice(0, 1)])]
  return all.length > ANCESTORS_LIMIT ? [...all.slice(0, 1), ...all.slice(1 - ANCESTORS_LIMIT)] : all
}

/** Puts together what is written. @param email  the grant's own address */
export function contentOf(message: OutgoingMessage, email: string, ancestors: Ancestors): MailContent {
  return { ...message, from: message.from ?? { email }, ...ancestorHeaders(ancestors) }
}

/** The headers that put a reply behind its ancestors. */
export function ancestorHeaders(ancestors: Ancestors): Pick<MailContent, 'references' | 'inReplyTo'> {
  const inReplyTo = ancestors.at(-1)
  return { references: ancestors, ...(inReplyTo === undefined ? {} : { inReplyTo }) }
}

/**
 * Brings attachments as they are in the source into the order they were given: files that belong to the HTML are
 * written before the others. Undefined where they can't be told apart.
 */
export function inGivenOrder(content: MailContent, written: readonly Attachment[]): Attachment[] | undefined {
  const files = content.attachments
  if (written.length !== files.length) return undefined
  const order = [...files.keys()].toSorted(
    (a, b) => rankOf(content, files[a]) - rankOf(content, files[b]) || a - b,
  )
  return [...files.keys()].flatMap((at) => written[order.indexOf(at)] ?? [])
}

function rankOf(content: MailContent, file: MailContent['attachments'][number] | undefined): number {
  return file && isRelatedFile(content, file) ? 0 : 1
}

/** About how many bytes the source has: base64 lines, their ends, and some for headers. */
export function estimatedBytes(content: MailContent): number {
  const files = content.attachments.reduce(
    (sum, file) => sum + Math.ceil((fileBytes(file) * 78) / 57) + 1000,
    0,
  )
  return files + Math.ceil(Buffer.byteLength(content.body) * (content.isPlaintext ? 1.4 : 2)) + 4000
}

function fileBytes(file: object): number {
  return 'sizeBytes' in file && typeof file.sizeBytes === 'number' ? file.sizeBytes : 0
}
