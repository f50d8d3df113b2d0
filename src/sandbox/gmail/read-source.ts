import { decodeCharset } from '../../formats/mime/charset.ts'
import { decodeHeaderText, headerAddresses, type HeaderField } from '../../formats/mime/headers.ts'
import { fileNameOf, type MimePart } from '../../formats/mime/mime-part.ts'
import { parseMessage, type ParsedMessage } from '../../formats/mime/parse-message.ts'
import { selectParts } from '../../formats/mime/select-parts.ts'
import { decodeTransfer } from '../../formats/mime/transfer-encoding.ts'
import { snippetOfHtml, snippetOfText } from '../../formats/snippet.ts'
import type { SeedMessage, SeedPart } from '../types.ts'

const ADDRESS_HEADERS = ['from', 'to', 'cc', 'bcc', 'reply-to', 'sender']

/**
 * Takes a source apart into what Gmail shows with `format=full`: header values decoded, texts in UTF-8 whatever
 * their charset (public reports, checked 2026-11).
 */
export function readSource(source: Uint8Array): Pick<SeedMessage, 'headers' | 'root' | 'snippet'> {
  const parsed = parseMessage(source)
  const { html, plain } = selectParts(parsed.structure)
  const text = (leaf: { readonly node: MimePart }) => contentOf(parsed, leaf.node, true).toString('utf8')
  const snippet = plain ? snippetOfText(text(plain)) : html ? snippetOfHtml(text(html)) : ''
  return {
    headers: parsed.headers
      .filter(({ name }) => !/^(content-|mime-version$)/i.test(name))
      .map((field) => [field.name, shown(field)] as const),
    root: toPart(parsed, parsed.structure),
    snippet,
  }
}

/** The value as it is shown: names decoded, and quoted where they would not be one name otherwise. */
function shown(field: HeaderField): string {
  if (!ADDRESS_HEADERS.includes(field.name.toLowerCase())) return decodeHeaderText(field.value)
  const list = headerAddresses([field], field.name.toLowerCase())
  if (list.length === 0) return decodeHeaderText(field.value)
  return list.map(({ email, name }) => writeAddress(email, name)).join(', ')
}

/** Writes an address in plain text, its name quoted where it needs to be. */
export function writeAddress(email: string, name: string | undefined): string {
  if (name === undefined) return email
  const isAtom = /^[^\p{Cc}()<>[\]:;@\\,."]+$/u.test(name)
  return `${isAtom ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${email}>`
}

function toPart(parsed: ParsedMessage, node: MimePart): SeedPart {
  const parameters = Object.entries(node.parameters ?? {})
    .filter(([name]) => name !== 'boundary' && name !== 'name')
    .map(([name, value]) => `; ${name}="${value}"`)
  const type = `${node.type}${parameters.join('')}`
  if (node.childNodes) return { type, parts: node.childNodes.map((child) => toPart(parsed, child)) }
  const filename = fileNameOf(node)
  const disposition = ['attachment', 'inline'].find((one) => one === node.disposition)
  const contentId = node.id?.replace(/^<(.*)>$/s, '$1')
  return {
    type,
    ...(filename === undefined ? {} : { filename }),
    ...(disposition === 'attachment' || disposition === 'inline' ? { disposition } : {}),
    ...(contentId ? { contentId } : {}),
    // A text that is shown comes in UTF-8, a file as it is.
    content: contentOf(parsed, node, filename === undefined && disposition !== 'attachment'),
  }
}

function contentOf(parsed: ParsedMessage, node: MimePart, isShown: boolean): Buffer {
  const content = parsed.contentOf(node.part ?? '1') ?? new Uint8Array()
  const bytes = Buffer.from(decodeTransfer(content, node.encoding))
  const isBody = isShown && /^text\/(plain|html)$/.test(node.type)
  return isBody ? Buffer.from(decodeCharset(bytes, node.parameters?.['charset'])) : bytes
}
