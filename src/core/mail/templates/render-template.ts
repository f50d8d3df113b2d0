import type { TemplateEngine } from '../../../contract/template.ts'
import { appError } from '../../../contract/errors.ts'
import type { JsonObject } from '../../../kit/json.ts'
import { evaluate } from './evaluate.ts'
import { parseHandlebars } from './parse-handlebars.ts'
import { parseMustache } from './parse-mustache.ts'
import { invalidTemplate, MAX_BODY_BYTES } from './template-limits.ts'
import type { TemplateNode } from './template-tree.ts'

/** Text of a template and what to make of it. */
export interface RenderRequest {
  readonly text: string
  readonly engine: TemplateEngine
  readonly variables: JsonObject
  readonly strict: boolean
  /** HTML escapes what it puts in; a subject is no HTML. */
  readonly isHtml: boolean
}

const ESCAPES: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#x60;',
  '=': '&#x3D;',
}
/** Mustache escapes the slash, too; both escape what ends an attribute without quotes. */
const TO_ESCAPE = { mustache: /[&<>"'`=/]/g, handlebars: /[&<>"'`=]/g }

/** Renders a template. @throws AppError 400 that says what is wrong with it or its variables */
export async function renderTemplate(request: RenderRequest): Promise<string> {
  const { engine, variables, strict, isHtml } = request
  const { nodes, pattern } = await parseTemplate(engine, request.text)
  const escape = (text: string) => text.replace(pattern, (char) => ESCAPES[char] ?? '&#x2F;')
  return evaluate(nodes, variables, { strict, escape: isHtml ? escape : (text) => text })
}

/** Reads a template, to find what is wrong with it before it is stored. @throws AppError 400 */
export async function parseTemplate(
  engine: TemplateEngine,
  text: string,
): Promise<{ readonly nodes: readonly TemplateNode[]; readonly pattern: RegExp }> {
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) {
    throw invalidTemplate(`it has more than ${MAX_BODY_BYTES / 1024} KB`)
  }
  switch (engine) {
    case 'mustache':
      return { nodes: await parseMustache(text), pattern: TO_ESCAPE.mustache }
    case 'handlebars':
      return { nodes: await parseHandlebars(text), pattern: TO_ESCAPE.handlebars }
    case 'nunjucks':
    case 'twig':
      throw appError(
        'api.invalid_request_error',
        `engine: this server does not render ${engine} templates; use mustache or handlebars.`,
      )
  }
}
