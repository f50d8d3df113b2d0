import type {
  Application,
  ApplicationUpdateBody,
  CallbackUri,
  CallbackUriBody,
} from '../../contract/application.ts'
import type {
  Connector,
  ConnectorCreateBody,
  ConnectorUpdateBody,
  Credential,
  CredentialCreateBody,
  CredentialUpdateBody,
} from '../../contract/connector.ts'
import type { AuditLogEntry } from '../../contract/audit.ts'
import type { DetectedProvider } from '../../contract/detect.ts'
import type { FolderCreateBody, FolderUpdateBody, WireFolder } from '../../contract/folder.ts'
import type { ConnectCustomBody, GrantUpdateBody } from '../../contract/grant.ts'
import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { Attachment, MessageUpdateBody, WireMessage } from '../../contract/message.ts'
import type { ThreadUpdateBody, WireThread } from '../../contract/thread.ts'
import type { AuditFilter } from './event-stores.ts'
import type { ImportService } from './import.ts'
import type { RequestLimits } from './limits.ts'
import type {
  AttachmentRef,
  DeleteOptions,
  FolderQuery,
  InMailbox,
  MessageFindOptions,
  MessageQuery,
  OpenedAttachment,
  MessagePage,
  Page,
  ThreadQuery,
} from './mail.ts'
import type {
  IdempotencyService,
  OutgoingService,
  ScheduleService,
  TrackingService,
  UploadService,
} from './mail-services.ts'
import type { CleanService, SignatureService, TemplateService } from './mail-texts.ts'
import type { HostedService, TokenService } from './oauth-services.ts'
import type { ApiKeyRecord, ApplicationRecord, AuditEntry, ConnectorAlarm, GrantRecord } from './records.ts'
import type { GrantCount, GrantFilter, OffsetPage, SortOrder } from './stores.ts'
import type { DeliveryService, WebhookService } from './webhooks.ts'

/** Who calls: the application, and the actor for the audit log (`key:<id>`). */
export interface Caller {
  readonly applicationId: ApplicationId
  readonly actor: string
  /** Set for the holder of an access token: this grant and no other. */
  readonly grantId?: GrantId
}

/** What a request has cost at the provider so far. */
export interface ProviderUsage {
  requests: number
  gmailUnits: number
}

/** What a request adds: its deadline and its id for the logs. */
export interface RequestContext {
  /** Counted up while the request is worked on; answered as headers (contract/email.md 1.1). */
  readonly usage?: ProviderUsage
  readonly requestId: string
  /** fires when the client hangs up or the request's deadline passes */
  readonly signal: AbortSignal
}

export interface ApiKeyService {
  /** Finds the caller of a bearer token. @returns null for anything that is not a live key of an unblocked application; AppError 423 for a blocked one */
  authenticate(bearer: string): Promise<Caller | null>
  /** Makes a key, or takes the given one (≥ 32 printable characters). The value is returned this once. */
  create(
    applicationId: ApplicationId,
    options: { readonly name: string; readonly value?: string; readonly actor?: 'cli' },
  ): Promise<{ readonly record: ApiKeyRecord; readonly value: string }>
  list(applicationId: ApplicationId | null): Promise<readonly ApiKeyRecord[]>
  /** @param actor  for the audit log; `system` when left out */
  revoke(id: string, actor?: 'cli'): Promise<boolean>
}

export interface ApplicationService {
  create(options: {
    readonly id?: string
    readonly name: string
    readonly actor?: 'cli'
  }): Promise<ApplicationRecord>
  list(): Promise<readonly ApplicationRecord[]>
  get(caller: Caller): Promise<Application>
  update(caller: Caller, body: ApplicationUpdateBody): Promise<Application>
}

export interface CallbackUriService {
  list(caller: Caller): Promise<readonly CallbackUri[]>
  create(caller: Caller, body: CallbackUriBody): Promise<CallbackUri>
  find(caller: Caller, id: string): Promise<CallbackUri>
  update(caller: Caller, id: string, body: CallbackUriBody): Promise<CallbackUri>
  delete(caller: Caller, id: string): Promise<void>
}

export interface ConnectorService {
  create(caller: Caller, body: ConnectorCreateBody): Promise<Connector>
  /** Without a page: all of them. */
  list(caller: Caller, page?: OffsetPage): Promise<readonly Connector[]>
  find(caller: Caller, provider: string): Promise<Connector>
  /** Merges: omitted settings (client id and secret above all) are kept. */
  update(caller: Caller, provider: string, body: ConnectorUpdateBody): Promise<Connector>
  /** Deletes it and its credentials; its grants become invalid at once. */
  delete(caller: Caller, provider: string): Promise<void>
}

export interface CredentialService {
  create(caller: Caller, provider: string, body: CredentialCreateBody): Promise<Credential>
  list(caller: Caller, provider: string, page: OffsetPage & SortOrder): Promise<readonly Credential[]>
  find(caller: Caller, provider: string, id: string): Promise<Credential>
  update(caller: Caller, provider: string, id: string, body: CredentialUpdateBody): Promise<Credential>
  delete(caller: Caller, provider: string, id: string): Promise<void>
}

export interface GrantService {
  /** `POST /v3/connect/custom`. */
  connectCustom(
    caller: Caller,
    body: ConnectCustomBody,
    context: RequestContext & { readonly ip: string; readonly userAgent: string | null },
  ): Promise<GrantRecord>
  list(caller: Caller, filter: GrantFilter, page: OffsetPage & SortOrder): Promise<readonly GrantRecord[]>
  /**
   * Finds a grant by any identifier form of contract/auth.md 1: id, `grant:<id>`, address, `email:<address>`,
   * `external:<id>`, `me`. `me` with an API key: 401. Unknown: 404 `grant.not_found`. With an access token anything
   * but its own grant: 403 `grant.access_denied`.
   */
  locate(caller: Caller, identifier: string, capability?: 'mail'): Promise<GrantRecord>
  /** Other addresses of the account (`expose_aliases=true`); empty where the provider has none. */
  aliases(grant: GrantRecord, context: RequestContext): Promise<readonly string[]>
  update(
    caller: Caller,
    grant: GrantRecord,
    body: GrantUpdateBody,
    context: RequestContext,
  ): Promise<GrantRecord>
  delete(caller: Caller, grant: GrantRecord, context: RequestContext): Promise<void>
}

export interface DetectService {
  /** `POST /v3/providers/detect`; bounded in time, never an error for an unknown domain. */
  detect(
    caller: Caller,
    email: string,
    options: {
      readonly allProviderTypes: boolean
      readonly signal: AbortSignal
      /** Only these count. The call is not counted against the application's limit: the caller has one of his own. */
      readonly among?: readonly ProviderName[]
    },
  ): Promise<DetectedProvider>
}

/** A query of a mail list before its cursor is opened: `pageToken` is the client's `page_token`. */
export type MessageListRequest = Omit<MessageQuery, 'cursor' | 'takesBytes'> & {
  readonly pageToken?: string
  readonly metadataPair?: string
}
export type FolderListRequest = Omit<FolderQuery, 'cursor'> & { readonly pageToken?: string }

/** `GET /threads`: core opens the page token. */
export type ThreadListRequest = Omit<ThreadQuery, 'cursor'> & { readonly pageToken?: string }

/** Mail of one grant. Each call refuses an invalid grant (401) and a provider without mail (400). */
export interface MailService {
  listMessages(
    grant: GrantRecord,
    request: MessageListRequest,
    context: RequestContext,
  ): Promise<MessagePage<WireMessage>>
  findMessage(
    grant: GrantRecord,
    id: string,
    options: MessageFindOptions,
    context: RequestContext,
  ): Promise<WireMessage>
  listFolders(
    grant: GrantRecord,
    request: FolderListRequest,
    context: RequestContext,
  ): Promise<Page<WireFolder>>
  findFolder(
    grant: GrantRecord,
    id: string,
    options: { readonly sharedFrom?: string },
    context: RequestContext,
  ): Promise<WireFolder>
  /** @returns the message after the change, its metadata included. @throws AppError 400 for a body without a change */
  updateMessage(
    grant: GrantRecord,
    id: string,
    body: MessageUpdateBody,
    options: InMailbox,
    context: RequestContext,
  ): Promise<WireMessage>
  deleteMessage(
    grant: GrantRecord,
    id: string,
    options: DeleteOptions,
    context: RequestContext,
  ): Promise<void>
  listThreads(
    grant: GrantRecord,
    request: ThreadListRequest,
    context: RequestContext,
  ): Promise<Page<WireThread>>
  findThread(grant: GrantRecord, id: string, options: InMailbox, context: RequestContext): Promise<WireThread>
  /** @throws AppError 400 for a body without a change */
  updateThread(
    grant: GrantRecord,
    id: string,
    body: ThreadUpdateBody,
    options: InMailbox,
    context: RequestContext,
  ): Promise<WireThread>
  deleteThread(grant: GrantRecord, id: string, options: InMailbox, context: RequestContext): Promise<void>
  createFolder(grant: GrantRecord, body: FolderCreateBody, context: RequestContext): Promise<WireFolder>
  /** A body without a change gives the folder as it is. */
  updateFolder(
    grant: GrantRecord,
    id: string,
    body: FolderUpdateBody,
    context: RequestContext,
  ): Promise<WireFolder>
  deleteFolder(grant: GrantRecord, id: string, context: RequestContext): Promise<void>
  findAttachment(grant: GrantRecord, ref: AttachmentRef, context: RequestContext): Promise<Attachment>
  /**
   * Opens an attachment whose first bytes have come. Its content fails rather than ends when it is cut short, is of
   * another size than announced, or nothing moves for a while. Destroying it stops the provider's stream.
   */
  openAttachment(grant: GrantRecord, ref: AttachmentRef, context: RequestContext): Promise<OpenedAttachment>
}

/** Which web pages may call the routes of the browser library. */
export interface BrowserOriginService {
  /**
   * Whether an application allows pages of this origin.
   * @param applicationId  whose request it is; null where that is not known (yet): then whether any application does
   */
  allows(origin: string, applicationId: ApplicationId | null): Promise<boolean>
}

/** Filters of the audit log; `since` and `until` are Unix seconds, inclusive. */
export type AuditLogRequest = Omit<AuditFilter, 'applicationId'> & {
  readonly limit: number
  readonly pageToken?: string
}

export interface AuditLogService {
  /** Entries of the caller's application, newest first. */
  list(caller: Caller, request: AuditLogRequest): Promise<Page<AuditLogEntry>>
  /** Entries of any application, and those of the installation itself: for its operator. */
  listAll(
    filter: AuditFilter,
    page: { readonly limit: number; readonly beforeSeq?: number },
  ): Promise<readonly (AuditEntry & { readonly seq: number })[]>
}

/** How the whole installation is doing, for its operator. */
export interface Condition {
  /** `advice` for invalid grants */
  readonly grants: readonly (GrantCount & { readonly advice?: string })[]
  readonly alarms: readonly {
    readonly applicationId: ApplicationId
    readonly provider: ProviderName
    readonly alarm: ConnectorAlarm
  }[]
}

/** Everything http (and the admin commands) may ask core for. */
export interface Services {
  /** Reads only; walks an index over all grants. */
  readonly condition: () => Promise<Condition>
  readonly apiKeys: ApiKeyService
  readonly applications: ApplicationService
  readonly callbackUris: CallbackUriService
  readonly connectors: ConnectorService
  readonly credentials: CredentialService
  readonly grants: GrantService
  readonly imports: ImportService
  readonly detect: DetectService
  readonly mail: MailService
  readonly outgoing: OutgoingService
  readonly clean: CleanService
  readonly signatures: SignatureService
  readonly templates: TemplateService
  readonly schedules: ScheduleService
  readonly uploads: UploadService
  readonly tracking: TrackingService
  readonly idempotency: IdempotencyService
  readonly tokens: TokenService
  readonly hosted: HostedService
  readonly browserOrigins: BrowserOriginService
  readonly webhooks: WebhookService
  readonly deliveries: DeliveryService
  readonly auditLog: AuditLogService
  readonly limits: RequestLimits
}
