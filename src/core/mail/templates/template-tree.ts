/** Where a value comes from: a name of the variables, or a word of the template itself. */
export type Source =
  | {
      readonly kind: 'path'
      /** how many scopes up: `../` */
      readonly up: number
      /** `@index` and the like */
      readonly isData: boolean
      readonly names: readonly string[]
      /** as written, for messages */
      readonly text: string
      /** Looked for in all scopes around, as Mustache does; else in the innermost only. */
      readonly climbs: boolean
    }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }

/** A template of either language. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly source: Source; readonly isEscaped: boolean }
  | {
      readonly kind: 'block'
      /** `section`: once per element, or with the value as its scope */
      readonly helper: 'if' | 'unless' | 'each' | 'with' | 'section' | 'inverted'
      readonly source: Source
      /** names for the element and its index: `as |item index|` */
      readonly params: readonly string[]
      readonly body: readonly TemplateNode[]
      readonly otherwise: readonly TemplateNode[]
    }
