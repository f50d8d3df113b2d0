import { createRequire } from 'node:module'
import type { WriteOptions } from './conversation.ts'
import { safeImage, safeLink } from './safe-url.ts'

/** An element as turndown hands it out. */
interface MarkdownNode {
  readonly nodeName: string
  getAttribute(name: string): string | null
}

/** What is used of turndown; its own types need those of a browser. */
interface Turndown {
  escape: (text: string) => string
  addRule(
    name: string,
    rule: {
      readonly filter: (node: MarkdownNode) => boolean
      readonly replacement: (content: string, node: MarkdownNode) => string
    },
  ): unknown
  turndown(html: string): string
}
type TurndownClass = new (options: { readonly [name: string]: string }) => Turndown

/** White space as the tree writes it. */
const BLANK = String.raw`(?:\s|&#x(?:a0|1680|20(?:0[0-9a]|2[89f]|5f)|3000|feff);)`
/** A run of blanks costs the converter its square (7.2.5, tried 2026-11): what is more than this goes. */
const LONG_BLANK = new RegExp(`(${BLANK}{200})${BLANK}+`, 'g')

let loaded: TurndownClass | undefined

/** Loads the converter when it is first needed. */
function converter(): TurndownClass {
  loaded ??= createRequire(import.meta.url)('turndown') as TurndownClass
  return loaded
}

/** Writes pruned HTML as Markdown in which nothing is HTML: text that looks like a tag is escaped. */
export function toMarkdown(html: string, options: WriteOptions): string {
  const turndown = create()
  turndown.addRule('link', {
    filter: isOneOf('A'),
    replacement: (content, node) => {
      const text = content.replace(/\s*\n\s*/g, ' ').trim()
      const url = options.links ? safeLink(attribute(node, 'href')) : undefined
      return url === undefined || text === '' ? text : `[${text}](${url})`
    },
  })
  turndown.addRule('image', {
    filter: isOneOf('IMG'),
    replacement: (_content, node) => {
      const url = options.images === 'none' ? undefined : safeImage(attribute(node, 'src'))
      return url === undefined ? '' : `![${escaped(turndown, attribute(node, 'alt'))}](${url})`
    },
  })
  if (options.tables) addTables(turndown)
  else addRows(turndown)
  return turndown.turndown(html.replace(LONG_BLANK, '$1'))
}

/** Escapes plain text, so that its reader sees it as it is. */
export function textToMarkdown(text: string): string {
  const turndown = create()
  return text
    .split('\n')
    .map((line) => turndown.escape(line))
    .join('\n')
}

function create(): Turndown {
  const Service = converter()
  const turndown = new Service({
    headingStyle: 'atx',
    codeBlockStyle: 'fenced',
    bulletListMarker: '-',
    emDelimiter: '*',
  })
  const escape = turndown.escape.bind(turndown)
  // CommonMark section 2.4: a backslash makes any ASCII punctuation literal.
  turndown.escape = (text) =>
    escape(text)
      .replace(/</g, '\\<')
      .replace(/&(?=#?\w{1,31};)/g, '\\&')
      .replace(/\|/g, '\\|')
  return turndown
}

function escaped(turndown: Turndown, text: string): string {
  return turndown.escape(text.replace(/\s+/g, ' ').trim())
}

function attribute(node: MarkdownNode, name: string): string {
  return node.getAttribute(name) ?? ''
}

function isOneOf(...names: readonly string[]) {
  return ({ nodeName }: MarkdownNode) => names.includes(nodeName)
}

function inOneLine(content: string): string {
  return content.trim().replace(/\s*\n\s*/g, ' ')
}

/** Rows as lines of text. */
function addRows(turndown: Turndown): void {
  turndown.addRule('cell', { filter: isOneOf('TD', 'TH'), replacement: (content) => `${content.trim()} ` })
  turndown.addRule('row', { filter: isOneOf('TR'), replacement: (content) => `\n${content.trim()}\n` })
}

/** Tables of GitHub's Markdown: the first row is the head. */
function addTables(turndown: Turndown): void {
  turndown.addRule('cell', {
    filter: isOneOf('TD', 'TH'),
    replacement: (content) => ` ${inOneLine(content)} |`,
  })
  turndown.addRule('row', {
    filter: isOneOf('TR'),
    replacement: (content) => `\n|${content.replaceAll('\n', ' ')}`,
  })
  turndown.addRule('part', { filter: isOneOf('THEAD', 'TBODY', 'TFOOT'), replacement: (content) => content })
  turndown.addRule('table', {
    filter: isOneOf('TABLE'),
    replacement: (content) => {
      const rows = content.split('\n').filter((row) => row.startsWith('|'))
      const [head, ...others] = rows
      if (head === undefined) return content
      const cells = head.replaceAll('\\|', '').split('|').length - 2
      return `\n\n${[head, `|${' --- |'.repeat(Math.max(cells, 1))}`, ...others].join('\n')}\n\n`
    },
  })
}
