import { createRequire } from 'node:module'
import type sanitizeHtml from 'sanitize-html'

type Sanitize = typeof sanitizeHtml

let loaded: Sanitize | undefined

/** Loads the sanitizer when it is first needed: it is large. */
export function sanitizer(): Sanitize {
  loaded ??= createRequire(import.meta.url)('sanitize-html') as Sanitize
  return loaded
}

const COLOUR = [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d\s.,%]{1,40}\)$/i, /^[a-z]{3,20}$/i] as const
const LENGTH = [/^-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|ex|%)?$/i] as const
const LENGTHS = [
  /^(-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|ex|%)?|auto)(\s+(-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|ex|%)?|auto)){0,3}$/i,
]
const WORDS = [/^[a-z-]{1,30}$/i]
const BORDER = [/^[\w\s#.,%-]{1,60}$/]

/** Nothing here can load, hide under something else, or leave its place on the page. */
const STYLES: { readonly [property: string]: readonly RegExp[] } = {
  color: COLOUR,
  'background-color': COLOUR,
  'font-family': [/^[\w\s"',-]{1,200}$/],
  'font-size': [...LENGTH, ...WORDS],
  'font-weight': [/^\d{3}$/, ...WORDS],
  'font-style': WORDS,
  'line-height': LENGTH,
  'letter-spacing': LENGTH,
  'text-align': WORDS,
  'text-decoration': [/^[a-z\s-]{1,40}$/i],
  'vertical-align': [...WORDS, ...LENGTH],
  'white-space': WORDS,
  width: LENGTH,
  'max-width': LENGTH,
  height: LENGTH,
  border: BORDER,
  'border-top': BORDER,
  'border-bottom': BORDER,
  'border-left': BORDER,
  'border-right': BORDER,
  'border-collapse': WORDS,
  'border-radius': LENGTHS,
  margin: LENGTHS,
  'margin-top': LENGTH,
  'margin-bottom': LENGTH,
  'margin-left': LENGTH,
  'margin-right': LENGTH,
  padding: LENGTHS,
  'padding-top': LENGTH,
  'padding-bottom': LENGTH,
  'padding-left': LENGTH,
  'padding-right': LENGTH,
}

const TAGS = [
  'a',
  'abbr',
  'address',
  'b',
  'big',
  'blockquote',
  'br',
  'center',
  'code',
  'dd',
  'div',
  'dl',
  'dt',
  'em',
  'font',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'hr',
  'i',
  'img',
  'li',
  'ol',
  'p',
  'pre',
  's',
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

/**
 * Makes HTML harmless that goes out in mail: no script, no form, no style sheet, nothing that loads but images by an
 * external http(s) address (contract/email.md 10). Idempotent; never throws.
 */
export function sanitizeSignature(html: string): string {
  return sanitizer()(html, {
    allowedTags: TAGS,
    allowedAttributes: {
      '*': ['style', 'align', 'valign', 'dir', 'lang', 'title'],
      a: ['href', 'target', 'rel'],
      img: ['src', 'alt', 'width', 'height', 'border'],
      font: ['color', 'face', 'size'],
      table: ['width', 'height', 'border', 'cellpadding', 'cellspacing', 'bgcolor'],
      td: ['width', 'height', 'colspan', 'rowspan', 'bgcolor'],
      th: ['width', 'height', 'colspan', 'rowspan', 'bgcolor'],
      tr: ['bgcolor', 'height'],
    },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['http', 'https'] },
    allowProtocolRelative: false,
    allowedStyles: {
      '*': Object.fromEntries(Object.entries(STYLES).map(([name, forms]) => [name, [...forms]])),
    },
    // An image without its address would show as a broken one.
    exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !/^https?:\/\//i.test(attribs['src'] ?? ''),
    nestingLimit: 60,
  })
}
