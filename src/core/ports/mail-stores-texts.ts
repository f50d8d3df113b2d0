import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { TemplateEngine } from '../../contract/template.ts'

/** A signature of a grant; `body` is sanitized HTML. Times are Unix seconds. */
export interface SignatureRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly name: string
  readonly body: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** Whose templates: a grant's, or (null) the application's. */
export interface TemplateOwner {
  readonly applicationId: ApplicationId
  readonly grantId: GrantId | null
}

/** A template as it was written. Times are Unix seconds. */
export interface TemplateRecord extends TemplateOwner {
  readonly id: string
  readonly engine: TemplateEngine
  readonly name: string
  readonly subject: string
  readonly body: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** Where a list goes on; `seq` grows with each new row. */
export interface TextPage {
  readonly limit: number
  readonly beforeSeq?: number
}
export type Numbered<T> = T & { readonly seq: number }

/** Signatures. They go with their grant. */
export interface SignatureStore {
  find(grantId: GrantId, id: string): Promise<SignatureRecord | null>
  /** Newest first. */
  list(grantId: GrantId, page: TextPage): Promise<readonly Numbered<SignatureRecord>[]>
  count(grantId: GrantId): Promise<number>
  insert(record: SignatureRecord): Promise<void>
  /** @returns false when it is gone */
  update(
    grantId: GrantId,
    id: string,
    change: Pick<SignatureRecord, 'name' | 'body' | 'updatedAt'>,
  ): Promise<boolean>
  delete(grantId: GrantId, id: string): Promise<boolean>
}

/** Templates. A grant's go with it. */
export interface TemplateStore {
  find(owner: TemplateOwner, id: string): Promise<TemplateRecord | null>
  /** Newest first. */
  list(owner: TemplateOwner, page: TextPage): Promise<readonly Numbered<TemplateRecord>[]>
  insert(record: TemplateRecord): Promise<void>
  /** @returns false when it is gone */
  update(
    owner: TemplateOwner,
    id: string,
    change: Pick<TemplateRecord, 'engine' | 'name' | 'subject' | 'body' | 'updatedAt'>,
  ): Promise<boolean>
  delete(owner: TemplateOwner, id: string): Promise<boolean>
}
