import { invalidTemplate, MAX_BLOCKS, MAX_DEPTH } from './template-limits.ts'
import type { Source, TemplateNode } from './template-tree.ts'

/** Begins a block or a branch of one. */
const BLOCK = /\{\{~?\s*(?:[#^]|else\b)/g

const HELPERS = ['if', 'unless', 'each', 'with'] as const

/** The syntax tree as the library gives it, so far as it is used. */
interface Tree {
  readonly type: string
  readonly body?: readonly Tree[]
  readonly value?: unknown
  readonly path?: Tree
  readonly params?: readonly Tree[]
  readonly hash?: { readonly pairs: readonly unknown[] }
  readonly escaped?: boolean
  readonly program?: Tree
  readonly inverse?: Tree
  readonly blockParams?: readonly string[]
  readonly original?: unknown
  readonly data?: boolean
  readonly depth?: number
  readonly parts?: readonly unknown[]
}

/** Reads a Handlebars template. Only its parser is used: nothing is compiled. @throws AppError 400 */
export async function parseHandlebars(text: string): Promise<readonly TemplateNode[]> {
  if ((text.match(BLOCK)?.length ?? 0) > MAX_BLOCKS) {
    throw invalidTemplate(`it has more than ${MAX_BLOCKS} blocks and branches`)
  }
  const { default: Handlebars } = await import('handlebars')
  let tree: Tree
  try {
    tree = Handlebars.parse(text) as unknown as Tree
  } catch (error) {
    // A stack that ran out comes from blocks in blocks.
    throw invalidTemplate(error instanceof Error ? inOneLine(error.message) : 'it cannot be read')
  }
  return nodesOf(tree, 0)
}

function inOneLine(message: string): string {
  return message.replace(/\s+/g, ' ')
}

function nodesOf(program: Tree | undefined, depth: number): readonly TemplateNode[] {
  if (depth > MAX_DEPTH) throw invalidTemplate(`blocks are nested more than ${MAX_DEPTH} deep`)
  return (program?.body ?? []).flatMap((node) => nodeOf(node, depth))
}

function nodeOf(node: Tree, depth: number): TemplateNode | [] {
  switch (node.type) {
    case 'ContentStatement':
      return { kind: 'text', text: String(node.value) }
    case 'CommentStatement':
      return []
    case 'MustacheStatement':
      if (hasArguments(node)) throw invalidTemplate(`the helper ${nameOf(node.path)} is not known`)
      return { kind: 'value', source: sourceOf(node.path), isEscaped: node.escaped !== false }
    case 'BlockStatement':
      return blockOf(node, depth)
    case 'PartialStatement':
    case 'PartialBlockStatement':
      throw invalidTemplate('partials are not supported')
    default:
      throw invalidTemplate('decorators are not supported')
  }
}

function blockOf(node: Tree, depth: number): TemplateNode {
  const [first, ...others] = node.params ?? []
  const name = nameOf(node.path)
  const helper = HELPERS.find((each) => each === name)
  const isKnown = helper ? first !== undefined && others.length === 0 : first === undefined
  if (!isKnown || (node.hash?.pairs.length ?? 0) > 0) {
    throw invalidTemplate(helper ? `${name} takes one argument` : `the helper ${name} is not known`)
  }
  const body = nodesOf(node.program, depth + 1)
  const otherwise = nodesOf(node.inverse, depth + 1)
  return {
    kind: 'block',
    helper: helper ?? 'section',
    source: sourceOf(helper ? first : node.path),
    params: node.program?.blockParams ?? [],
    body,
    otherwise,
  }
}

function hasArguments({ params, hash }: Tree): boolean {
  return (params?.length ?? 0) > 0 || (hash?.pairs.length ?? 0) > 0
}

function nameOf(path: Tree | undefined): string {
  return typeof path?.original === 'string' ? path.original.slice(0, 100) : ''
}

function sourceOf(path: Tree | undefined): Source {
  switch (path?.type) {
    case 'PathExpression': {
      const names = (path.parts ?? []).map(String)
      const { data = false, depth = 0 } = path
      return { kind: 'path', up: depth, isData: data, names, text: nameOf(path), climbs: false }
    }
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
      return { kind: 'literal', value: literalOf(path.value) }
    case 'UndefinedLiteral':
    case 'NullLiteral':
      return { kind: 'literal', value: null }
    default:
      throw invalidTemplate('expressions in parentheses are not supported')
  }
}

function literalOf(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
