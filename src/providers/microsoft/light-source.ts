import { Readable } from 'node:stream'
import type { OutgoingAttachment } from '../../core/ports/outgoing.ts'
import { fileNameOf, type MimePart } from '../../formats/mime/mime-part.ts'
import { type ParsedMessage, parseMessage } from '../../formats/mime/parse-message.ts'
import { selectParts } from '../../formats/mime/select-parts.ts'
import { decodeTransfer } from '../../formats/mime/transfer-encoding.ts'

/** A source without its largest files, and those. */
export interface LightSource {
  readonly source: Uint8Array
  readonly files: readonly OutgoingAttachment[]
}

interface Cut {
  readonly node: MimePart
  readonly parent: MimePart
  readonly content: Uint8Array
  readonly from: number
  readonly to: number
}

const SEALED = /^(multipart\/(signed|encrypted)|application\/(x-)?pkcs7-mime)$/
const EMPTY_TEXT = 'Content-Type: text/plain; charset=utf-8\r\n\r\n'

/**
 * Takes the largest files out of a source until the rest is small enough: attachments and inline files, each with its
 * name, type, content id and bytes. What stays is left byte for byte. Exchange writes its own source of what it sends,
 * so this changes the order of files alone; but a signed or encrypted message would break.
 *
 * @returns undefined where that cannot be: signed, encrypted, or too large without its files
 */
export function lightenSource(source: Uint8Array, limitBytes: number): LightSource | undefined {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  const parsed = parseMessage(bytes)
  if (isSealed(parsed.structure)) return undefined
  const cuts: Cut[] = []
  let left = bytes.length
  for (const cut of cutsOf(bytes, parsed).toSorted((a, b) => b.to - b.from - (a.to - a.from))) {
    if (left <= limitBytes) break
    cuts.push(cut)
    left -= cut.to - cut.from
  }
  if (left > limitBytes) return undefined
  const inOrder = cuts.toSorted((a, b) => a.from - b.from)
  return { source: withoutCuts(bytes, inOrder), files: inOrder.map(toFile) }
}

function isSealed(node: MimePart): boolean {
  return SEALED.test(node.type) || (node.childNodes ?? []).some(isSealed)
}

/** The files that stand beside others, where one can go without harm to the rest. */
function cutsOf(bytes: Buffer, parsed: ParsedMessage): Cut[] {
  const files = new Set(selectParts(parsed.structure).attachments.map(({ node }) => node))
  const cuts: Cut[] = []
  const walk = (parent: MimePart): void => {
    const isRelated = parent.type === 'multipart/related'
    for (const [at, node] of (parent.childNodes ?? []).entries()) {
      if (node.childNodes) walk(node)
      const isText = isRelated && at === 0 // what the others of it are shown in
      if (!files.has(node) || isText || !(isRelated || parent.type === 'multipart/mixed')) continue
      const content = node.part === undefined ? undefined : parsed.contentOf(node.part)
      const range = content && rangeOf(bytes, content, parent.parameters?.['boundary'] ?? '')
      if (range) cuts.push({ node, parent, content, ...range })
    }
  }
  walk(parsed.structure)
  return cuts
}

/** From the boundary line before a part, with the line end that belongs to it, to the part's end. */
function rangeOf(bytes: Buffer, content: Uint8Array, boundary: string) {
  const start = content.byteOffset - bytes.byteOffset
  let from = start
  do {
    if (from === 0) return undefined
    from = bytes.lastIndexOf(`--${boundary}`, from - 1)
    if (from === -1) return undefined
  } while (from > 0 && bytes[from - 1] !== 0x0a)
  if (bytes[from - 1] === 0x0a) from -= 1
  if (bytes[from - 1] === 0x0d) from -= 1
  return { from, to: start + content.length }
}

function withoutCuts(bytes: Buffer, cuts: readonly Cut[]): Buffer {
  const parts: Buffer[] = []
  const emptied = new Set<MimePart>()
  let at = 0
  for (const { node, parent, from, to } of cuts) {
    parts.push(bytes.subarray(at, from))
    const others = (parent.childNodes ?? []).filter((one) => one !== node)
    const isLast = others.every((one) => cuts.some((cut) => cut.node === one))
    if (isLast && !emptied.has(parent)) {
      // A multipart must have a part (RFC 2046 section 5.1.1).
      parts.push(Buffer.from(`\r\n--${parent.parameters?.['boundary']}\r\n${EMPTY_TEXT}`))
      emptied.add(parent)
    }
    at = to
  }
  return Buffer.concat([...parts, bytes.subarray(at)])
}

function toFile({ node, parent, content }: Cut): OutgoingAttachment {
  const decoded = decodeTransfer(content, node.encoding)
  const parameters = Object.entries(node.parameters ?? {}).filter(([name]) => name !== 'name')
  const contentId = node.id?.replace(/^<|>$/g, '')
  const isShown = parent.type === 'multipart/related' && contentId !== undefined
  return {
    filename: fileNameOf(node) ?? (node.type === 'message/rfc822' ? 'message.eml' : 'untitled'),
    contentType: [node.type, ...parameters.map(([name, value]) => `${name}="${value}"`)].join('; '),
    isInline: node.disposition ? node.disposition === 'inline' : isShown,
    ...(contentId ? { contentId } : {}),
    sizeBytes: decoded.length,
    open: () => Readable.from(decoded.length === 0 ? [] : [decoded]),
  }
}
