import { createRequire } from 'node:module'
import type * as Parser from 'htmlparser2'
import { sanitizer } from './sanitize-signature.ts'

type Tree = ReturnType<typeof Parser.parseDocument>
export type MailNode = Tree['children'][number]
export type MailElement = Extract<MailNode, { readonly attribs: unknown }>

/** Longer sources are cut: nobody reads on there, and the work of a request stays bounded. */
const MAX_SOURCE = 256 * 1024
/** Elements open at once, from which on a source is cut: parsers take the square of it. */
const MAX_OPEN = 4_000
const MAX_NESTING = 60

const TAGS = [
  'a',
  'abbr',
  'address',
  'article',
  'aside',
  'b',
  'big',
  'blockquote',
  'br',
  'caption',
  'center',
  'cite',
  'code',
  'dd',
  'del',
  'div',
  'dl',
  'dt',
  'em',
  'figcaption',
  'figure',
  'font',
  'footer',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'header',
  'hr',
  'i',
  'img',
  'ins',
  'kbd',
  'li',
  'main',
  'mark',
  'nav',
  'ol',
  'p',
  'pre',
  'q',
  's',
  'section',
  'small',
  'span',
  'strike',
  'strong',
  'sub',
  'sup',
  'table',
  'tbody',
  'td',
  'tfoot',
  'th',
  'thead',
  'tr',
  'tt',
  'u',
  'ul',
]
/** Their contents go with them: none of it is text of the mail. */
const DROPPED = [
  'script',
  'style',
  'title',
  'textarea',
  'option',
  'select',
  'noscript',
  'noembed',
  'noframes',
  'template',
  'iframe',
  'object',
  'applet',
  'svg',
  'math',
  'xmp',
  'plaintext',
  'audio',
  'video',
  'canvas',
  'datalist',
  'head',
]

/** What a pruner needs to know of an element; all of it is gone before anything is written. */
const KEPT_ATTRIBUTES = [
  'id',
  'class',
  'style',
  'hidden',
  'type',
  'width',
  'height',
  'data-smartmail',
  'name',
]

const SANITIZING = {
  allowedTags: TAGS,
  nonTextTags: DROPPED,
  allowedAttributes: {
    '*': KEPT_ATTRIBUTES,
    a: ['href', ...KEPT_ATTRIBUTES],
    img: ['src', 'alt', ...KEPT_ATTRIBUTES],
  },
  // An option that the types of the library lack; without it `hidden` would not be seen.
  allowedEmptyAttributes: ['alt', 'hidden'],
  allowedSchemes: ['http', 'https', 'mailto', 'tel', 'cid'],
  allowProtocolRelative: false,
  // Styles are read here and written nowhere.
  parseStyleAttributes: false,
  nestingLimit: MAX_NESTING,
}

let loaded: typeof Parser | undefined

/** Loads the parser when it is first needed. */
function parser(): typeof Parser {
  loaded ??= createRequire(import.meta.url)('htmlparser2') as typeof Parser
  return loaded
}

/** Reads a body of mail into a tree of harmless elements, at most 60 deep. Never throws. */
export function readMailTree(html: string): Tree {
  const { parseDocument } = parser()
  return parseDocument(sanitizer()(bodyOf(cut(html.slice(0, MAX_SOURCE))), SANITIZING))
}

/** Cuts where more elements are open than any mail has. Elements that need no end tag count, too. */
function cut(html: string): string {
  let open = 0
  for (const { 0: tag, index } of html.matchAll(/<\/?[a-z]/gi)) {
    open = tag.startsWith('</') ? Math.max(0, open - 1) : open + 1
    if (open > MAX_OPEN) return html.slice(0, index)
  }
  return html
}

/** A head that is never closed would take the whole mail with it. */
function bodyOf(html: string): string {
  const start = /<body[\s>]/i.exec(html)
  return start ? html.slice(start.index) : html.replace(/<\/?head[^>]*>/gi, '')
}

export function isElement(node: MailNode): node is MailElement {
  return 'attribs' in node
}

/** All text below a node. */
export function textOf(node: MailNode): string {
  return parser().DomUtils.textContent(node)
}

export function removeNode(node: MailNode): void {
  parser().DomUtils.removeElement(node)
}

/** Writes the tree as HTML, without any attribute but the addresses that writers look at. */
export function writeTree(tree: Tree): string {
  return parser().DomUtils.getOuterHTML(tree.children)
}

/** The elements below a node, parents before children. */
export function elementsOf(tree: Tree | MailElement): MailElement[] {
  const found: MailElement[] = []
  const open: MailNode[] = tree.children.toReversed()
  for (let node = open.pop(); node; node = open.pop()) {
    if (!isElement(node)) continue
    found.push(node)
    open.push(...node.children.toReversed())
  }
  return found
}
