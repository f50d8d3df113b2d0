import { createRequire } from 'node:module'
import type { QuoteType, Tokenizer, TokenizerCallbacks } from 'htmlparser2'

let loaded: typeof Tokenizer | undefined

/** Loads the tokenizer when it is first needed. */
function tokenizerClass(): typeof Tokenizer {
  loaded ??= (createRequire(import.meta.url)('htmlparser2') as { readonly Tokenizer: typeof Tokenizer })
    .Tokenizer
  return loaded
}

/** What goes into an HTML body so that it can be tracked. */
export interface TrackingMarks {
  /** Address of the image that tells of an open; none where opens are not tracked. */
  readonly imageUrl?: string
  /** Address in the place of the link with that index; none where links are not tracked. */
  readonly linkUrl?: (index: number) => string
  /** Links that begin so stay as they are: they are ours already, quoted from an earlier message. */
  readonly ownPrefix?: string
}

export interface TrackedHtml {
  readonly html: string
  /** The links that were replaced, as they were written (character references resolved), by their index. */
  readonly links: readonly string[]
}

/** A longer link is left alone: proxies and servers refuse addresses of more than 8 KB. */
const MAX_LINK_LENGTH = 7_000
const SCHEMES: readonly string[] = ['https:', 'http:', 'mailto:', 'tel:']

/** A stretch of the source, and what stands there instead. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Puts an image before `</body>` and other addresses into `href` of `<a>`. Every other character stays as it is.
 * Left alone: what is no absolute http, https, mailto or tel address, what has a user name or password in it, and
 * whatever stands in comments, scripts and the like. Never throws.
 */
export function trackHtml(html: string, marks: TrackingMarks): TrackedHtml {
  const { anchors, bodyEnd } = scan(html)
  const edits: Edit[] = []
  const links: string[] = []
  const { linkUrl, imageUrl } = marks
  for (const { start, end, href } of linkUrl ? anchors : []) {
    const link = href.trim()
    if (!linkUrl || !isTrackable(link, marks.ownPrefix)) continue
    edits.push({ start, end, text: linkUrl(links.length) })
    links.push(link)
  }
  if (imageUrl !== undefined) {
    // Not hidden: what is hidden is not loaded by some mail programs.
    const text = `<img src="${imageUrl}" width="1" height="1" alt="" style="border:0;width:1px;height:1px">`
    edits.push({ start: bodyEnd, end: bodyEnd, text })
  }
  return { html: withEdits(html, edits), links }
}

function isTrackable(link: string, ownPrefix: string | undefined): boolean {
  if (link.length > MAX_LINK_LENGTH || (ownPrefix !== undefined && link.startsWith(ownPrefix))) return false
  const url = URL.parse(link)
  return url !== null && SCHEMES.includes(url.protocol) && url.username === '' && url.password === ''
}

function withEdits(html: string, edits: readonly Edit[]): string {
  let done = 0
  let made = ''
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    made += html.slice(done, start) + text
    done = end
  }
  return made + html.slice(done)
}

interface Anchor {
  /** of the value of `href`, without its quotes */
  readonly start: number
  readonly end: number
  readonly href: string
}

/** Finds the anchors in their order, and where the body ends. */
function scan(html: string): { readonly anchors: readonly Anchor[]; readonly bodyEnd: number } {
  const anchors: Anchor[] = []
  let bodyEnd: number | undefined
  let htmlEnd: number | undefined
  let inAnchor = false
  /** The first `href` counts, as in browsers; null once it was seen. */
  let found: Anchor | null = null
  let nameEnd = 0
  let isHref = false
  let value = ''
  const nothing = () => undefined
  const callbacks: TokenizerCallbacks = {
    onopentagname(start, end) {
      inAnchor = html.slice(start, end).toLowerCase() === 'a'
      found = null
    },
    onattribname(start, end) {
      isHref = inAnchor && !found && html.slice(start, end).toLowerCase() === 'href'
      nameEnd = end
      value = ''
    },
    onattribdata(start, end) {
      if (isHref) value += html.slice(start, end)
    },
    onattribentity(codepoint) {
      if (isHref) value += String.fromCodePoint(codepoint)
    },
    onattribend(quote, end) {
      if (isHref) found = valueAt(html, nameEnd, end, quote, value)
      isHref = false
    },
    onopentagend: close,
    onselfclosingtag: close,
    onclosetag(start, end) {
      const name = html.slice(start, end).toLowerCase()
      if (name === 'body') bodyEnd = start - 2
      if (name === 'html') htmlEnd = start - 2
    },
    oncdata: nothing,
    oncomment: nothing,
    ondeclaration: nothing,
    onend: nothing,
    onprocessinginstruction: nothing,
    ontext: nothing,
    ontextentity: nothing,
  }
  function close() {
    if (inAnchor && found) anchors.push(found)
    inAnchor = false
  }
  const tokenizer = new (tokenizerClass())({ decodeEntities: true }, callbacks)
  tokenizer.write(html)
  tokenizer.end()
  return { anchors, bodyEnd: bodyEnd ?? htmlEnd ?? html.length }
}

/** Where the value stands: the tokenizer tells the end only, of the value or of its closing quote. */
function valueAt(html: string, nameEnd: number, end: number, quote: QuoteType, href: string): Anchor | null {
  const opening = /\s*=\s*(["']?)/y
  opening.lastIndex = nameEnd
  const match = opening.exec(html)
  if (!match || quote === 0) return null
  const start = opening.lastIndex
  // Without quotes nothing of ours needs any: addresses of ours have no character that would.
  const valueEnd = match[1] === '' ? end : html.indexOf(match[1] ?? '"', start)
  return valueEnd < start ? null : { start, end: valueEnd, href }
}
