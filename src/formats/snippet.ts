import { createRequire } from 'node:module'
import type { convert as htmlToText } from 'html-to-text'

type Convert = typeof htmlToText

const SNIPPET_CODE_POINTS = 100
/** Enough source for 100 visible characters of ordinary mail; a bound on work for hostile mail. */
const HTML_SOURCE_LIMIT = 64 * 1024
/** The start of most mail has the whole snippet. */
const USUAL_HTML = 8 * 1024
/** Of tags, open and close: what is open at once costs parsers its square. */
const MAX_TAGS = 4_000
/** Bound on the work for the text of one message. */
const TEXT_SOURCE_LIMIT = 256 * 1024
const MAX_DEPTH = 100

/** Nearly always holds a snippet; the rest is looked at only where it doesn't. */
const USUAL_SOURCE = 512
/** Code points are one or two units long. */
const ENOUGH_UNITS = 2 * SNIPPET_CODE_POINTS + 1
const BLANKS = /(?:[\s\u00ad\u200b-\u200f\ufeff]|\u034f)+/g
/** A blank that is more than one space: mostly there is none, and nothing to replace. */
const UNUSUAL_BLANK = /[^\S ]| {2}|[\u00ad\u200b-\u200f\ufeff]|\u034f/
/** Asked first: it takes a third of the time, and most text has none. */
const BEYOND_PRINTED = /[^ -~]/

/** Cuts text to a snippet: white space collapsed, at most 100 code points (contract/email.md 3.3). */
export function snippetOfText(text: string): string {
  const start = collapse(text.slice(0, USUAL_SOURCE))
  // With a whole snippet in it and one unit more, what follows can't change it.
  if (start.length > ENOUGH_UNITS) return firstCodePoints(start)
  return firstCodePoints(text.length > USUAL_SOURCE ? collapse(text.slice(0, HTML_SOURCE_LIMIT)) : start)
}

function collapse(text: string): string {
  const isPlain = !BEYOND_PRINTED.test(text) && !text.includes('  ')
  return !isPlain && UNUSUAL_BLANK.test(text) ? text.replace(BLANKS, ' ').trim() : text.trim()
}

function firstCodePoints(line: string): string {
  if (line.length <= SNIPPET_CODE_POINTS) return line
  let end = 0
  for (let n = 0; n < SNIPPET_CODE_POINTS && end < line.length; n += 1) {
    end += (line.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  }
  return line.slice(0, end)
}

let convert: Convert | undefined

/** Loads the converter with the first HTML message: it is large, and a mapper can't wait for an import. */
function converter(): Convert {
  if (!convert) {
    const loaded: { readonly convert: Convert } = createRequire(import.meta.url)('html-to-text')
    convert = loaded.convert
  }
  return convert
}

/** Writes HTML as plain text, whole, for readers without HTML. Never throws; very large HTML is cut. */
export function textOfHtml(html: string): string {
  return converter()(cutTags(html.slice(0, TEXT_SOURCE_LIMIT)), {
    wordwrap: 78,
    limits: { maxInputLength: TEXT_SOURCE_LIMIT, maxDepth: MAX_DEPTH, ellipsis: '' },
  })
}

/** Makes a snippet from HTML: visible text only, no link targets, no images. Never throws. */
export function snippetOfHtml(html: string): string {
  const start = visibleText(html.slice(0, USUAL_HTML))
  // What follows can't change it (see above); the last characters may be half of a reference.
  if (html.length <= USUAL_HTML || collapse(start).length > 2 * ENOUGH_UNITS) return snippetOfText(start)
  return snippetOfText(visibleText(html.slice(0, HTML_SOURCE_LIMIT)))
}

/** Cuts where there are more tags than any mail needs to say something. */
function cutTags(html: string): string {
  let at = -1
  for (let tags = 0; tags < MAX_TAGS; tags += 1) {
    at = html.indexOf('<', at + 1)
    if (at === -1) return html
  }
  return html.slice(0, at)
}

function visibleText(html: string): string {
  return converter()(cutTags(html), {
    wordwrap: false,
    limits: { maxInputLength: HTML_SOURCE_LIMIT, maxDepth: MAX_DEPTH, maxChildNodes: 2000, ellipsis: '' },
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'style', format: 'skip' },
      { selector: 'script', format: 'skip' },
      { selector: 'head', format: 'skip' },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
      { selector: 'table', format: 'block' },
    ],
  })
}
