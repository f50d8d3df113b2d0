import { createRequire } from 'node:module'
import type { convert as htmlToText } from 'html-to-text'

type Convert = typeof htmlToText

const SNIPPET_CODE_POINTS = 100
/** Enough source for 100 visible characters of ordinary mail; a bound on work for hostile mail. */
const HTML_SOURCE_LIMIT = 64 * 1024

/** Cuts text to a snippet: white space collapsed, at most 100 code points (contract/email.md 3.3). */
export function snippetOfText(text: string): string {
  const line = text
    .slice(0, HTML_SOURCE_LIMIT)
    .replace(/(?:\s|\u034f|[\u00ad\u200b-\u200f\ufeff])+/g, ' ')
    .trim()
  return Array.from(line).slice(0, SNIPPET_CODE_POINTS).join('')
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
