import { fileNameOf, type MimePart } from './mime-part.ts'

/** A leaf with its part number, which a root without one lacks (it is `1`). */
export interface Leaf {
  readonly part: string
  readonly node: MimePart
}

/** What of a MIME tree the wire shows: the text that is the body, and the attachments. */
export interface SelectedParts {
  readonly html?: Leaf
  readonly plain?: Leaf
  readonly attachments: readonly Leaf[]
}

interface TextParts {
  readonly html?: Leaf
  readonly plain?: Leaf
}

/**
 * Chooses by contract/email.md 12.3: the first HTML outside attached messages (the last one of
 * multipart/alternative), the first plain text; parts with a file name, with disposition `attachment` or of
 * another type are attachments, an attached message is one.
 */
export function selectParts(root: MimePart): SelectedParts {
  const attachments: Leaf[] = []
  const text = walk(root, undefined, attachments)
  return { ...text, attachments }
}

function walk(node: MimePart, parent: MimePart | undefined, attachments: Leaf[]): TextParts {
  if (node.childNodes && node.type.startsWith('multipart/')) {
    const found = node.childNodes.map((child) => walk(child, node, attachments))
    const htmls = found.flatMap((text) => text.html ?? [])
    const html = node.type === 'multipart/alternative' ? htmls.at(-1) : htmls[0]
    const plain = found.find((text) => text.plain)?.plain
    return { ...(html ? { html } : {}), ...(plain ? { plain } : {}) }
  }
  const leaf: Leaf = { part: node.part ?? '1', node }
  // Servers tell of a broken multipart as a leaf with an empty type.
  const isUnknown = !parent && !/^[^/]+\/[^/]+$/.test(node.type)
  const isText = node.type === 'text/html' || node.type === 'text/plain' || isUnknown
  // A message that is one text is its body even where its type carries a name, and so are alternatives of a text.
  const isBody = !parent || (parent.type === 'multipart/alternative' && !node.disposition)
  const isFile = node.disposition === 'attachment' || (fileNameOf(node) !== undefined && !isBody)
  if (!isText || isFile) {
    attachments.push(leaf)
    return {}
  }
  return node.type === 'text/html' ? { html: leaf } : { plain: leaf }
}
