import { Readable } from 'node:stream'
import { appError } from '../../src/contract/errors.ts'
import type { FullDraft } from '../../src/contract/message.ts'
import { createMailAccess } from '../../src/core/mail/mail-access.ts'
import { createMessageTracking } from '../../src/core/mail/tracking/message-tracking.ts'
import { createTrackingService } from '../../src/core/mail/tracking/tracking-service.ts'
import type { TrackingMode } from '../../src/core/mail/tracking/visitor.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { createContentKeeper } from '../../src/core/mail/uploads/content-keeper.ts'
import { createScheduler } from '../../src/core/mail/scheduled/scheduler.ts'
import { createUploads } from '../../src/core/mail/uploads/uploads.ts'
import { createMetadataKeeper } from '../../src/core/mail/metadata-keeper.ts'
import type { OutgoingDeps } from '../../src/core/mail/outgoing/outgoing-deps.ts'
import { createOutgoingService } from '../../src/core/mail/outgoing/outgoing-service.ts'
import { snippetOf } from '../../src/core/mail/outgoing/sent-message.ts'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail, MailFacts } from '../../src/core/ports/mail.ts'
import type {
  DraftChange,
  DraftQuery,
  OutgoingAttachment,
  OutgoingDraft,
  OutgoingMessage,
} from '../../src/core/ports/outgoing.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { dataFailure } from '../../src/core/provider-failure.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { grantRecord, type HttpApp, startHttpApp } from './http-app.ts'

/** What left for the provider: a message with the bytes of its files, or the source of a raw one. */
export interface Sent {
  readonly message?: OutgoingMessage
  readonly source?: string
  readonly files: readonly Buffer[]
}

/** A server over a mailbox in memory, for tests of sending and drafts. */
export interface OutgoingApp extends HttpApp {
  readonly grant: GrantRecord
  readonly base: string
  readonly sent: Sent[]
  readonly drafts: Map<string, StoredDraft>
  /** queries of draft lists */
  readonly queries: DraftQuery[]
  /** Called before each send, draft or not; may wait, or throw as a provider does. */
  onSend: () => Promise<void>
}

interface StoredDraft {
  readonly wire: FullDraft
  readonly files: readonly Buffer[]
}

const NO_TRACKING = { mode: 'off', publicUrl: undefined } as const

/** Starts it. @param parts  what else sending is made of; templates and signatures are left out by default */
export async function startOutgoingApp(
  options: {
    readonly parts?: Partial<OutgoingDeps>
    readonly facts?: Partial<MailFacts>
    /** off when left out */
    readonly tracking?: { readonly mode: TrackingMode; readonly publicUrl: string | undefined }
    readonly http?: Partial<HttpDeps>
  } = {},
): Promise<OutgoingApp> {
  const sent: Sent[] = []
  const drafts = new Map<string, StoredDraft>()
  const queries: DraftQuery[] = []
  const state = { onSend: () => Promise.resolve() }
  const own = grantRecord({ email: 'ben@globex.example', name: 'Ben Ito' })
  const mail = mailbox({ sent, drafts, queries, state, grant: own, facts: options.facts ?? {} })
  const app = await startHttpApp({
    http: { bodyLimitBytes: 40 * 1024 * 1024, ...options.http },
    services: (deps) => {
      const google = deps.providers.get('google')
      if (!google) throw new Error('no provider for tests')
      const providers = new Map([...deps.providers, ['google' as const, { ...google, mail }]])
      const parts = {
        ...deps,
        access: createMailAccess({ ...deps, providers }),
        sessions: sessionsOf(),
        metadata: createMetadataKeeper(deps),
        log: silentLogger,
      }
      const contents = createContentKeeper(parts)
      const tracking = { ...deps, log: silentLogger, ...(options.tracking ?? NO_TRACKING) }
      return {
        tracking: createTrackingService(tracking),
        outgoing: createOutgoingService({
          ...parts,
          uploads: createUploads({ ...parts, contents, publicUrl: () => 'https://mail.acme.example' }),
          scheduler: createScheduler({ ...parts, contents }),
          tracking: createMessageTracking(tracking),
          ...options.parts,
        }),
      }
    },
  })
  const grant = { ...own, applicationId: app.applicationId }
  await app.database.stores.grants.insert(grant)
  return Object.assign(state, app, { grant, base: `/v3/grants/${grant.id}`, sent, drafts, queries })
}

function sessionsOf(): OutgoingDeps['sessions'] {
  return {
    async use(grant, context, work) {
      const session: GrantSession = {
        grantId: grant.id,
        email: grant.email,
        scope: [],
        settings: {},
        signal: context.signal,
        log: silentLogger,
        spend: ({ requests }) => {
          if (context.usage) context.usage.requests += requests
        },
        accessToken: () => Promise.reject(new Error('no token')),
        replaceRejected: () => Promise.reject(new Error('no token')),
        secret: () => Promise.reject(appError('grant.not_found')),
      }
      try {
        return await work(session)
      } catch (error) {
        throw error instanceof ProviderError ? dataFailure(error) : error
      }
    },
  }
}

export function mailbox(box: {
  readonly sent: Sent[]
  readonly drafts: Map<string, StoredDraft>
  readonly queries: DraftQuery[]
  readonly state: { onSend: () => Promise<void> }
  readonly grant: GrantRecord
  readonly facts: Partial<MailFacts>
}): Mail {
  const unused = () => Promise.reject(new Error('not used here'))
  const known = (id: string): StoredDraft => {
    const draft = box.drafts.get(id)
    if (!draft) throw new ProviderError('not-found', 'no such draft')
    return draft
  }
  const store = (draft: StoredDraft) => {
    box.drafts.set(draft.wire.id, draft)
    return draft.wire
  }
  const answer = { folders: ['SENT'], date: 1_767_225_700, threadId: 't1' }
  return {
    facts: { maxMessageBytes: 20_000_000, schedulesDrafts: false, takesLargeUploads: false, ...box.facts },
    messages: { list: unused, find: unused },
    folders: { list: unused, find: unused },
    attachments: {
      find: unused,
      open: async (_session, { messageId, attachmentId }) => {
        const draft = known(messageId)
        const at = draft.wire.attachments.findIndex(({ id }) => id === attachmentId)
        const [bytes, attachment] = [draft.files[at], draft.wire.attachments[at]]
        if (!bytes || !attachment) throw new ProviderError('not-found', 'no such attachment')
        return { attachment, content: Readable.from([bytes]) }
      },
    },
    send: {
      async send(session, message, { withHeaders }) {
        session.spend({ requests: 1 })
        await box.state.onSend()
        const files = await Promise.all(message.attachments.map(bytesOf))
        box.sent.push({ message, files })
        const headers = [
          { name: 'Message-ID', value: message.messageId },
          { name: 'X-Made-By', value: 'test' },
        ]
        return { id: `s${box.sent.length}`, ...answer, ...(withHeaders ? { headers } : {}) }
      },
      async sendRaw(session, source) {
        session.spend({ requests: 1 })
        await box.state.onSend()
        box.sent.push({ source: Buffer.from(source).toString('latin1'), files: [] })
        return { id: `s${box.sent.length}`, ...answer }
      },
    },
    drafts: {
      list: async (_session, query) => {
        box.queries.push(query)
        const items = [...box.drafts.values()].map(({ wire }) => wire).slice(0, query.limit)
        return { items, ...(items.length < box.drafts.size ? { nextCursor: 'more' } : {}) }
      },
      find: async (_session, id) => known(id).wire,
      create: async (_session, draft) => {
        const id = `d${box.drafts.size + 1}`
        const files = await Promise.all(draft.attachments.map(bytesOf))
        return store({ wire: toDraft(box.grant, id, draft), files })
      },
      update: async (_session, id, change) => {
        const before = known(id)
        const files = change.attachments ? await Promise.all(change.attachments.map(bytesOf)) : before.files
        return store({ wire: changed(box.grant, before.wire, change), files })
      },
      delete: async (_session, id) => {
        known(id)
        box.drafts.delete(id)
      },
      send: async (session, id) => {
        session.spend({ requests: 1 })
        const draft = known(id)
        await box.state.onSend()
        box.drafts.delete(id)
        box.sent.push({ source: draft.wire.body, files: draft.files })
        return { id: `s${box.sent.length}`, ...answer }
      },
    },
  }
}

async function bytesOf(file: OutgoingAttachment): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of file.open()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function toDraft(grant: GrantRecord, id: string, draft: OutgoingDraft): FullDraft {
  return {
    id,
    grant_id: grant.id,
    object: 'draft',
    date: draft.date,
    created_at: draft.date,
    thread_id: '',
    subject: draft.subject,
    from: [draft.from ?? { email: grant.email }],
    to: [...draft.to],
    cc: [...draft.cc],
    bcc: [...draft.bcc],
    reply_to: [...draft.replyTo],
    folders: ['DRAFT'],
    unread: false,
    starred: draft.starred ?? false,
    snippet: snippetOf(draft),
    body: draft.body,
    attachments: toAttachments(grant, draft.attachments),
  }
}

function changed(grant: GrantRecord, draft: FullDraft, change: DraftChange): FullDraft {
  return {
    ...draft,
    ...(change.subject === undefined ? {} : { subject: change.subject }),
    ...(change.body === undefined ? {} : { body: change.body }),
    ...(change.to ? { to: [...change.to] } : {}),
    ...(change.starred === undefined ? {} : { starred: change.starred }),
    ...(change.attachments ? { attachments: toAttachments(grant, change.attachments) } : {}),
  }
}

function toAttachments(grant: GrantRecord, files: readonly OutgoingAttachment[]) {
  return files.map((file, index) => ({
    id: `a${index}-${file.filename}`,
    grant_id: grant.id,
    filename: file.filename,
    content_type: file.contentType,
    size: file.sizeBytes,
    ...(file.contentId === undefined ? {} : { content_id: file.contentId }),
    is_inline: file.isInline,
  }))
}
