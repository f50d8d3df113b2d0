import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FullMessage } from '../../src/contract/message.ts'
import { type ConversationOptions, conversationOf } from '../../src/formats/html/conversation.ts'
import { parseMessage } from '../../src/formats/mime/parse-message.ts'
import { selectParts } from '../../src/formats/mime/select-parts.ts'
import { decodeTransfer } from '../../src/formats/mime/transfer-encoding.ts'
import { messageFromSource } from '../../src/standards/imap-mail/message-from-source.ts'

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'eml')
export const GOLDENS = join(import.meta.dirname, '..', 'fixtures', 'eml-golden')

/** Paths of all mail fixtures, in order. */
export const emlFixtures = (): readonly string[] =>
  readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.eml'))
    .toSorted()

export const readEml = (name: string): Buffer => readFileSync(join(FIXTURES, name))
export const goldenPath = (name: string): string => join(GOLDENS, `${name.slice(0, -'.eml'.length)}.json`)
export const readGolden = (name: string): Become =>
  JSON.parse(readFileSync(goldenPath(name), 'utf8')) as Become

/** What a fixture becomes: the message as the API shows it, its newest part, and a digest of each attachment. */
export interface Become {
  readonly message: FullMessage
  readonly conversation: string
  readonly markdown: string
  readonly downloads: readonly Download[]
}
export interface Download {
  readonly bytes: number
  readonly sha256: string
}

const PLAIN: ConversationOptions = {
  markdown: false,
  links: false,
  images: 'none',
  tables: false,
  removesConclusion: true,
}
/** The options of `clean` that the second text of a golden file is written with. */
export const AS_MARKDOWN = {
  html_as_markdown: true,
  ignore_links: false,
  ignore_images: false,
  ignore_tables: false,
}

/** Maps a source as an IMAP list does. */
export function become(source: Uint8Array): Become {
  const message = messageFromSource(source, {
    grantId: 'g',
    date: 1_767_225_600,
    folders: ['INBOX'],
    unread: true,
    starred: false,
    place: { path: 'INBOX', uidValidity: 1, uid: 1 },
  })
  const parsed = parseMessage(source)
  const { body } = message
  const markdown: ConversationOptions = {
    ...PLAIN,
    markdown: true,
    links: true,
    images: 'markdown',
    tables: true,
  }
  return {
    message,
    conversation: conversationOf(body, PLAIN),
    markdown: conversationOf(body, markdown),
    downloads: selectParts(parsed.structure).attachments.map(({ part, node }) =>
      digestOf(decodeTransfer(parsed.contentOf(part) ?? Buffer.alloc(0), node.encoding)),
    ),
  }
}

export function digestOf(bytes: Uint8Array): Download {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** What of a message does not depend on where it is kept. */
export function wherever(message: FullMessage): { readonly [field: string]: unknown } {
  const { subject, from, to, cc, bcc, reply_to, snippet, body, attachments } = message
  const files = attachments.map(({ id: _id, grant_id: _grant, ...rest }) => rest)
  return JSON.parse(
    JSON.stringify({ subject, from, to, cc, bcc, reply_to, snippet, body, attachments: files }),
  ) as {
    readonly [field: string]: unknown
  }
}
