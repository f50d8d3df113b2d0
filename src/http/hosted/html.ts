/** Markup that is safe to send. Made only by `html` and `trustedMarkup`, so that nothing gets past the escaping. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

type Content = Html | string | number | false | null | undefined | readonly Content[]

const ENTITIES: { readonly [mark: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Writes markup; whatever is put in is escaped, for text and for quoted attributes alike. Never inside a tag unquoted. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(parts.map((part, at) => part + (at < contents.length ? render(contents[at]) : '')).join(''))
}

function render(content: Content): string {
  if (content instanceof Html) return content.toString()
  if (Array.isArray(content)) return content.map(render).join('')
  if (content === false || content === null || content === undefined) return ''
  return String(content).replaceAll(/[&<>"'`]/g, (mark) => ENTITIES[mark] ?? '')
}
