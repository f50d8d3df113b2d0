import { isJsonObject, type JsonObject } from '../../../kit/json.ts'
import { invalidTemplate, MAX_OUTPUT, MAX_STEPS } from './template-limits.ts'
import type { Source, TemplateNode } from './template-tree.ts'

export interface EvaluateOptions {
  /** Names that are not given are an error; else they are empty. */
  readonly strict: boolean
  /** Writes a value into the output; the identity where the output is no HTML. */
  readonly escape: (text: string) => string
}

/** What names mean here: an element of a loop, the variables at the bottom. */
interface Scope {
  readonly value: unknown
  /** names of block parameters */
  readonly locals: ReadonlyMap<string, unknown>
  /** `@index`, `@key`, `@first`, `@last` */
  readonly data: ReadonlyMap<string, unknown>
  readonly parent: Scope | null
}

const NONE: ReadonlyMap<string, unknown> = new Map()

/** Walks a template with its variables. @throws AppError 400 for an unknown variable (strict) or too much work */
export function evaluate(
  nodes: readonly TemplateNode[],
  variables: JsonObject,
  options: EvaluateOptions,
): string {
  const output = new Output()
  const top: Scope = { value: variables, locals: NONE, data: NONE, parent: null }
  walk(nodes, { ...top, data: new Map([['root', variables]]) }, output, options)
  return output.text
}

/** What has been written, and how much work is left. */
class Output {
  text = ''
  #steps = 0

  step(): void {
    this.#steps += 1
    if (this.#steps > MAX_STEPS) throw invalidTemplate(`it takes more than ${MAX_STEPS} steps`)
  }

  write(text: string): void {
    this.text += text
    if (this.text.length > MAX_OUTPUT) throw invalidTemplate(`it is longer than ${MAX_OUTPUT} characters`)
  }
}

function walk(nodes: readonly TemplateNode[], scope: Scope, output: Output, options: EvaluateOptions): void {
  for (const node of nodes) {
    output.step()
    switch (node.kind) {
      case 'text':
        output.write(node.text)
        break
      case 'value': {
        const text = textOf(valueOf(node.source, scope, options.strict))
        output.write(node.isEscaped ? options.escape(text) : text)
        break
      }
      case 'block':
        walkBlock(node, scope, output, options)
        break
    }
  }
}

function walkBlock(
  node: Extract<TemplateNode, { kind: 'block' }>,
  scope: Scope,
  output: Output,
  options: EvaluateOptions,
): void {
  // Whether something is given is what a condition is for.
  const value = valueOf(node.source, scope, options.strict && node.helper === 'each')
  const inner = (each: unknown, data: ReadonlyMap<string, unknown> = NONE, second?: unknown) => {
    const locals = new Map(
      [each, second].slice(0, node.params.length).map((local, at) => [node.params[at] ?? '', local]),
    )
    output.step()
    walk(node.body, { value: each, locals, data, parent: scope }, output, options)
  }
  const otherwise = () => walk(node.otherwise, scope, output, options)
  switch (node.helper) {
    case 'if':
      return isFilled(value) ? walk(node.body, scope, output, options) : otherwise()
    case 'unless':
    case 'inverted':
      return isFilled(value) ? otherwise() : walk(node.body, scope, output, options)
    case 'with':
      return isFilled(value) ? inner(value) : otherwise()
    case 'section':
      if (Array.isArray(value) && value.length > 0) return loop(value.entries(), value.length, inner)
      if (!isFilled(value)) return otherwise()
      return typeof value === 'object' ? inner(value) : inner(value === true ? scope.value : value)
    case 'each': {
      if (!isFilled(value) || typeof value !== 'object') return otherwise()
      const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value ?? {})
      return entries.length > 0 ? loop(entries, entries.length, inner) : otherwise()
    }
  }
}

function loop(
  entries: Iterable<readonly [string | number, unknown]>,
  count: number,
  inner: (each: unknown, data: ReadonlyMap<string, unknown>, key: unknown) => void,
): void {
  let index = 0
  for (const [key, each] of entries) {
    const data = new Map<string, unknown>([
      ['index', index],
      ['key', key],
      ['first', index === 0],
      ['last', index === count - 1],
    ])
    inner(each, data, key)
    index += 1
  }
}

/** Empty are what both languages hold for it: nothing, false, an empty text or list; zero for Handlebars only. */
function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== null && value !== false && value !== '' && value !== 0
}

function valueOf(source: Source, scope: Scope, strict: boolean): unknown {
  if (source.kind === 'literal') return source.value
  const found = source.climbs ? climb(source.names, scope) : lookUp(source, scope)
  if (!found && strict) throw invalidTemplate(`the variable ${source.text.slice(0, 100)} is not given`)
  return found?.value
}

interface Found {
  readonly value: unknown
}

/** The first name is looked for in every scope around, the others in what it gave (mustache(5)). */
function climb(names: readonly string[], scope: Scope): Found | undefined {
  const [first, ...rest] = names
  if (first === undefined) return { value: scope.value }
  for (let at: Scope | null = scope; at; at = at.parent) {
    const found = fieldOf(at.value, first)
    if (found) return follow(found, rest)
  }
  return undefined
}

function lookUp({ names, up, isData }: Extract<Source, { kind: 'path' }>, scope: Scope): Found | undefined {
  let at: Scope | null = scope
  for (let left = up; left > 0 && at; left -= 1) at = at.parent
  const [first, ...rest] = names
  if (!at) return undefined
  if (first === undefined) return { value: at.value }
  for (let around: Scope | null = at; around; around = around.parent) {
    const named = isData ? around.data : around.locals
    if (named.has(first)) return follow({ value: named.get(first) }, rest)
  }
  return isData ? undefined : follow({ value: at.value }, names)
}

function follow(start: Found, names: readonly string[]): Found | undefined {
  let found: Found | undefined = start
  for (const name of names) found = found && fieldOf(found.value, name)
  return found
}

/** Own fields only: what every object inherits is not part of the variables. */
function fieldOf(value: unknown, name: string): Found | undefined {
  if (Array.isArray(value)) {
    if (name === 'length') return { value: value.length }
    return /^\d{1,9}$/.test(name) && Number(name) < value.length ? { value: value[Number(name)] } : undefined
  }
  return isJsonObject(value) && Object.hasOwn(value, name) ? { value: value[name] } : undefined
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map((each) => textOf(each)).join(',')
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value)
}
