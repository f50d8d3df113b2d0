import { createRequire } from 'node:module'
import type { convert as htmlToText } from 'html-to-text'

type Convert = typeof htmlToText

const SNIPPET_CODE_POINTS = 100
/** Enough source for 100 visible characters of ordinary mail; a bound on work for hostile mail. */
const HTML_SOURCE_LIMIT = 64 * 1024
/** Bound on the work for the text of one message. */
const TEXT_SOURCE_LIMIT = 2 * 1024 * 1024

/** Nearly always holds a snippet; the rest is looked at only where it doesn't. */
const USUAL_SOURCE = 512
/** Code points are one or two units long. */
const ENOUGH_UNITS = 2 * SNIPPET_CODE_POINTS + 1
const BLANKS = /(?:[\s\u00ad\u200b-\u200f\ufeff]|\u034f)+/g
/** A blank that is more than one space: mostly there is none, and nothing to replace. */
const UNUSUAL_BLANK = /[^\S ]| {2}|[\u00ad\u200b-\u200f\ufeff]|\u034f/

/** Cuts text to a snippet: white space collapsed, at most 100 code points (contract/email.md 3.3). */
export function snippetOfText(text: string): string {
  const start = collapse(text.slice(0, USUAL_SOURCE))
  // With a whole snippet in it and one unit more, what follows can't change it.
  if (start.length > ENOUGH_UNITS) return firstCodePoints(start)
  return firstCodePoints(text.length > USUAL_SOURCE ? collapse(text.slice(0, HTML_SOURCE_LIMIT)) : start)
}

function collapse(text: string): string {
  return UNUSUAL_BLANK.test(text) ? text.replace(BLANKS, ' ').trim() : text.trim()
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
  return converter()(html, { wordwrap: 78, limits: { maxInputLength: TEXT_SOURCE_LIMIT } })
}

/** Makes a snippet from HTML: visible text only, no link targets, no images. Never throws. */
export function snippetOfHtml(html: string): string {
  const text = converter()(html.slice(0, HTML_SOURCE_LIMIT), {
    wordwrap: false,
    limits: { maxInputLength: HTML_SOURCE_LIMIT, maxDepth: 100, maxChildNodes: 2000, ellipsis: '' },
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
  return snippetOfText(text)
}
