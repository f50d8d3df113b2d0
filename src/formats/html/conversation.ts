import { readHidden } from './hidden-content.ts'
import { elementsOf, isElement, type MailElement, readMailTree, removeNode, writeTree } from './mail-tree.ts'
import { newestText } from './newest-text.ts'
import { isForward, isSignature, nodesAfter, quoteKind } from './quoted-content.ts'
import { safeImage, safeLink } from './safe-url.ts'
import { textToMarkdown, toMarkdown } from './to-markdown.ts'
import { toPlainText } from './to-plain-text.ts'

/** What of a mail is written. */
export interface WriteOptions {
  readonly links: boolean
  readonly images: 'none' | 'address' | 'markdown'
  /** Tables as tables; else their rows as lines of text. */
  readonly tables: boolean
}

export interface ConversationOptions extends WriteOptions {
  readonly markdown: boolean
  /** Signatures and closing phrases go. */
  readonly removesConclusion: boolean
}

/** In characters; longer mail is cut. */
export const MAX_BODY = 512 * 1024

/**
 * Writes the newest part of a mail as plain text or Markdown: without quoted history, hidden text and tracking images.
 * @param body  HTML, or the text of a mail that has no HTML
 * @returns in Markdown nothing that is HTML or leads to another scheme than http, https, mailto, tel (images: cid). Never
 *          throws.
 */
export function conversationOf(body: string, options: ConversationOptions): string {
  const source = body.slice(0, MAX_BODY)
  return isHtml(source) ? ofHtml(source, options) : ofText(source, options)
}

function ofText(body: string, { markdown, removesConclusion }: ConversationOptions): string {
  const text = newestText(body, {
    dropsQuoteLines: true,
    quotesAreGone: false,
    removesConclusion,
  })
  return markdown ? textToMarkdown(text) : text
}

function ofHtml(body: string, options: ConversationOptions): string {
  const tree = readMailTree(body)
  const quotesAreGone = prune(tree, readHidden(body), options)
  const html = writeTree(tree)
  return newestText(options.markdown ? toMarkdown(html, options) : toPlainText(html, options), {
    dropsQuoteLines: false,
    quotesAreGone,
    removesConclusion: options.removesConclusion,
  })
}

/** Text may have addresses in angle brackets; anything else of that form is taken for HTML. */
function isHtml(body: string): boolean {
  const withoutAddresses = body.replace(
    /<(?:https?:\/\/|mailto:)?[^<>\s"'=]{1,300}(?:@|\.)[^<>\s"'=]{1,2000}>/gi,
    '',
  )
  return /<(?:\/?[a-z][a-z0-9:-]*(?:[\s/][^<>]*)?>|[a-z][a-z0-9:-]*[\s/]|!--|!doctype|\?xml)/i.test(
    withoutAddresses,
  )
}

/**
 * Takes out of the tree what the newest part is not, and all attributes but checked addresses.
 * @returns whether there were quotes
 */
function prune(
  tree: ReturnType<typeof readMailTree>,
  isHidden: (element: MailElement) => boolean,
  { removesConclusion, tables }: ConversationOptions,
): boolean {
  for (const element of elementsOf(tree)) if (isHidden(element)) removeNode(element)
  if (removesConclusion) {
    for (const element of elementsOf(tree)) if (isSignature(element)) removeNode(element)
  }
  const quotesAreGone = removeQuotes(tree)
  if (tables) flattenInnerTables(tree)
  for (const element of elementsOf(tree)) keepAddresses(element)
  return quotesAreGone
}

function removeQuotes(tree: ReturnType<typeof readMailTree>): boolean {
  let found = false
  for (const element of elementsOf(tree)) {
    const kind = quoteKind(element)
    if (!kind || !isIn(tree, element) || isForward(element)) continue
    found ||= kind === 'quote'
    const rest = kind === 'rest' ? nodesAfter(element) : []
    for (const node of [element, ...rest]) removeNode(node)
  }
  return found
}

/** Whether an element is in the tree still: what was around it may have been taken out. */
function isIn(tree: ReturnType<typeof readMailTree>, element: MailElement): boolean {
  let node = element.parent
  while (node && isElement(node as MailElement) && node.parent) node = node.parent
  return node === tree
}

const TABLE_PARTS = ['table', 'thead', 'tbody', 'tfoot', 'tr', 'td', 'th', 'caption']

/** A table in a cell is text there: written as a table it would be part of every cell around it. */
function flattenInnerTables(tree: ReturnType<typeof readMailTree>): void {
  const cells = new Set<unknown>()
  for (const element of elementsOf(tree)) {
    const isInCell = cells.has(element.parent)
    if (isInCell || element.name === 'td' || element.name === 'th') cells.add(element)
    if (isInCell && TABLE_PARTS.includes(element.name)) element.name = 'div'
  }
}

function keepAddresses(element: MailElement): void {
  const { name, attribs } = element
  const [href, src] = [safeLink(attribs['href'] ?? ''), safeImage(attribs['src'] ?? '')]
  element.attribs = {
    ...(name === 'a' && href !== undefined ? { href } : {}),
    ...(name === 'img' && src !== undefined ? { src, alt: attribs['alt'] ?? '' } : {}),
  }
}
