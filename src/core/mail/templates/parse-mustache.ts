import type { Source, TemplateNode } from './template-tree.ts'
import { invalidTemplate, MAX_DEPTH } from './template-limits.ts'

/** Reads a Mustache template (mustache(5)). @throws AppError 400 */
export async function parseMustache(text: string): Promise<readonly TemplateNode[]> {
  const { default: Mustache } = await import('mustache')
  // Of its own: the library's shared one keeps every template it has ever seen.
  const writer = new Mustache.Writer()
  let tokens: unknown
  try {
    tokens = writer.parse(text)
  } catch (error) {
    throw invalidTemplate(error instanceof Error ? error.message : 'it cannot be read')
  }
  return nodesOf(tokens, 0)
}

/** Tokens of the library: `[type, text, start, end, tokens of a section, …]`. */
function nodesOf(tokens: unknown, depth: number): readonly TemplateNode[] {
  if (depth > MAX_DEPTH) throw invalidTemplate(`sections are nested more than ${MAX_DEPTH} deep`)
  if (!Array.isArray(tokens)) return []
  return tokens.flatMap((token: unknown): TemplateNode | [] => {
    if (!Array.isArray(token)) throw invalidTemplate('it cannot be read')
    const [type, name, inner] = [String(token[0]), String(token[1]), token[4] as unknown]
    switch (type) {
      case 'text':
        return { kind: 'text', text: name }
      case 'name':
      case '&':
        return { kind: 'value', source: pathOf(name), isEscaped: type === 'name' }
      case '#':
      case '^':
        return {
          kind: 'block',
          helper: type === '#' ? 'section' : 'inverted',
          source: pathOf(name),
          params: [],
          body: nodesOf(inner, depth + 1),
          otherwise: [],
        }
      case '!':
      case '=':
        return []
      default:
        throw invalidTemplate(type === '>' ? 'partials are not supported' : `${type} is not supported`)
    }
  })
}

function pathOf(text: string): Source {
  const names = text === '.' ? [] : text.split('.')
  return { kind: 'path', up: 0, isData: false, names, text, climbs: true }
}
