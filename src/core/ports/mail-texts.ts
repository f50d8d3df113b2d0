import type { CleanBody, CleanMessage } from '../../contract/clean.ts'
import type { SignatureCreateBody, SignatureUpdateBody, WireSignature } from '../../contract/signature.ts'
import type {
  RenderedTemplate,
  TemplateCreateBody,
  TemplateRenderBody,
  TemplateUpdateBody,
  TextRenderBody,
  WireTemplate,
} from '../../contract/template.ts'
import type { InMailbox, Page } from './mail.ts'
import type { TemplateOwner } from './mail-stores-texts.ts'
import type { GrantRecord } from './records.ts'
import type { RequestContext } from './services.ts'

export interface TextListRequest {
  readonly limit: number
  readonly pageToken?: string
}

/** `PUT /messages/clean`. */
export interface CleanService {
  /**
   * Reads messages and adds their newest part as text, in the order of the ids.
   * @throws AppError 404 that names an id that is not there, 422 one that is too complex, 400, 429
   */
  clean(
    grant: GrantRecord,
    body: CleanBody,
    options: InMailbox,
    context: RequestContext,
  ): Promise<readonly CleanMessage[]>
  /** Ends the threads that write long messages. */
  close(): Promise<void>
}

/** Signatures of a grant, kept by this server. Unknown ids: AppError 404. */
export interface SignatureService {
  list(grant: GrantRecord, request: TextListRequest): Promise<Page<WireSignature>>
  find(grant: GrantRecord, id: string): Promise<WireSignature>
  create(grant: GrantRecord, body: SignatureCreateBody): Promise<WireSignature>
  update(grant: GrantRecord, id: string, body: SignatureUpdateBody): Promise<WireSignature>
  delete(grant: GrantRecord, id: string): Promise<void>
}

/** Templates of an application or a grant. Unknown ids: AppError 404. */
export interface TemplateService {
  list(owner: TemplateOwner, request: TextListRequest): Promise<Page<WireTemplate>>
  find(owner: TemplateOwner, id: string): Promise<WireTemplate>
  create(owner: TemplateOwner, body: TemplateCreateBody): Promise<WireTemplate>
  update(owner: TemplateOwner, id: string, body: TemplateUpdateBody): Promise<WireTemplate>
  delete(owner: TemplateOwner, id: string): Promise<void>
  /** @throws AppError 400 that names what is wrong with the template or its variables */
  render(owner: TemplateOwner, id: string, body: TemplateRenderBody): Promise<RenderedTemplate>
  /** Renders HTML that is stored nowhere. */
  renderText(body: TextRenderBody): Promise<{ readonly body: string }>
}
