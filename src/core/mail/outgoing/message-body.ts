import type { DraftBody } from '../../../contract/outgoing.ts'
import { textOfHtml } from '../../../formats/snippet.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { invalidField } from './field-checks.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'

/** Subject and body of a request, each undefined where neither it nor its template says one. */
export interface RenderedText {
  readonly subject?: string
  readonly body?: string
}

/**
 * Reads subject and body: what the request says wins over its template (contract/email.md 4.2).
 * @throws AppError 400
 */
export async function readText(
  deps: Pick<OutgoingDeps, 'templates'>,
  grant: GrantRecord,
  { template, subject, body }: Pick<DraftBody, 'template' | 'subject' | 'body'>,
): Promise<RenderedText> {
  const rendered: RenderedText = template
    ? await needed(deps.templates, 'template').render(grant, template)
    : {}
  const text = { subject: subject ?? rendered.subject, body: body ?? rendered.body }
  return {
    ...(text.subject === undefined ? {} : { subject: text.subject }),
    ...(text.body === undefined ? {} : { body: text.body }),
  }
}

/**
 * Puts a signature at the very end of a body, after quoted text, behind a line break; as text where the body is text.
 * @throws AppError 400 that names signature_id
 */
export async function withSignature(
  deps: Pick<OutgoingDeps, 'signatures'>,
  grant: GrantRecord,
  content: { readonly body: string; readonly isPlaintext: boolean },
  signatureId: string | undefined,
): Promise<string> {
  const { body, isPlaintext } = content
  if (signatureId === undefined) return body
  const html = await needed(deps.signatures, 'signature_id').html(grant, signatureId)
  if (isPlaintext) return `${body}\n${textOfHtml(html)}`
  const end = endOfBody(body)
  return end === -1 ? `${body}<br>${html}` : `${body.slice(0, end)}<br>${html}${body.slice(end)}`
}

/** Where the last end tag of a body begins; -1 without one. Lower case may be longer than what it is made of (İ). */
function endOfBody(html: string): number {
  let end = -1
  for (const { index } of html.matchAll(/<\/body/gi)) end = index
  return end
}

/** @throws AppError 400 where this server has no such part */
function needed<T>(part: T | undefined, field: string): T {
  if (part === undefined) throw invalidField(`${field} is not supported by this server`)
  return part
}
