import { createRequire } from 'node:module'
import type { FormatCallback, convert as htmlToText } from 'html-to-text'
import type { WriteOptions } from './conversation.ts'

let loaded: typeof htmlToText | undefined

/** Loads the converter when it is first needed. */
function converter(): typeof htmlToText {
  loaded ??= (createRequire(import.meta.url)('html-to-text') as { readonly convert: typeof htmlToText })
    .convert
  return loaded
}

const SKIPPED = ['script', 'style', 'head', 'title']

/** Writes pruned HTML as plain text. What it shows of addresses must be checked already. */
export function toPlainText(html: string, { links, images, tables }: WriteOptions): string {
  return converter()(html, {
    wordwrap: false,
    limits: { maxInputLength: 4 * 1024 * 1024, maxDepth: 200 },
    formatters: { picture: pictureFormatter(images), cell: writeCell },
    selectors: [
      {
        selector: 'a',
        options: {
          ignoreHref: !links,
          hideLinkHrefIfSameAsText: true,
          noAnchorUrl: true,
          linkBrackets: ['[', ']'],
        },
      },
      { selector: 'img', format: 'picture' },
      { selector: 'hr', options: { length: 10 } },
      { selector: 'ul', options: { itemPrefix: '- ' } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
      ...(tables
        ? [
            {
              selector: 'table',
              format: 'dataTable',
              options: { uppercaseHeaderCells: false, maxColumnWidth: 60 },
            },
          ]
        : [
            { selector: 'table', format: 'block' },
            { selector: 'td', format: 'cell' },
            { selector: 'th', format: 'cell' },
            { selector: 'tr', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
          ]),
      ...SKIPPED.map((selector) => ({ selector, format: 'skip' })),
    ],
  })
}

/** Words of neighbouring cells stay apart. */
const writeCell: FormatCallback = (element, walk, builder) => {
  walk(element.children, builder)
  builder.addInline(' ')
}

function pictureFormatter(images: WriteOptions['images']): FormatCallback {
  return (element, _walk, builder) => {
    // The library types its elements as any.
    const attributes = element.attribs as { readonly src?: string; readonly alt?: string }
    const alt = (attributes.alt ?? '').replace(/[\s[\]]+/g, ' ').trim()
    const src = attributes.src ?? ''
    if (images === 'none' || src === '') return
    const text = images === 'markdown' ? `![${alt}](${src})` : `${alt} [${src}]`.trim()
    builder.addInline(text, { noWordTransform: true })
  }
}
