import { appError } from '../../../contract/errors.ts'
import { AppError } from '../../../kit/app-error.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { Logger } from '../../../kit/logger.ts'
import type { GrantSessions } from '../../grants/sessions.ts'
import type {
  ContentKeeper,
  MessageScheduler,
  MetadataKeeper,
  PreparedMessage,
} from '../../ports/mail-services.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { RequestContext } from '../../ports/services.ts'
import type { Database } from '../../ports/stores.ts'
import type { Vault } from '../../ports/vault.ts'
import type { MailAccess } from '../mail-access.ts'
import { keepContents, keepDraft, type KeptMessage, openKept, sealKept } from './kept-message.ts'

/** What taking a message to send later is made of. */
export interface SchedulerDeps {
  readonly database: Database
  readonly vault: Vault
  readonly access: MailAccess
  readonly sessions: GrantSessions
  readonly contents: ContentKeeper
  readonly metadata: MetadataKeeper
  readonly ids: Ids
  readonly log: Logger
}

/** A draft can be changed until so long before it is sent (contract/email.md 5.1). */
const EDIT_MARGIN_MS = 10_000

/** Takes messages to send later (contract/email.md 5.1): what was answered is on the disk. */
export function createScheduler(deps: SchedulerDeps): MessageScheduler {
  return {
    async schedule(grant, prepared, when, context) {
      const id = deps.ids.uuid()
      if (when.useDraft) await scheduleDraft(grant, id, prepared, when.sendAt, context)
      else await scheduleMessage(grant, id, prepared, when.sendAt)
      return id
    },
    async leavingDrafts(grant) {
      if (deps.access.facts(grant)?.schedulesDrafts !== true) return new Set()
      const sends = await deps.database.stores.scheduledSends.leavingDrafts(grant.id, EDIT_MARGIN_MS)
      const ids = new Set<string>()
      for (const send of sends) {
        const kept = await openKept(deps.vault, send).catch((error: unknown) => {
          if (error instanceof AppError) throw error
          return null // it fails when it is due, and says so then
        })
        if (kept && kept.draftId !== null) ids.add(kept.draftId)
      }
      return ids
    },
  }

  async function scheduleMessage(
    grant: GrantRecord,
    id: string,
    prepared: PreparedMessage,
    sendAt: number,
  ): Promise<void> {
    const { kept, stored } = await keepContents(deps.contents, grant, id, prepared)
    await insert(grant, { id, sendAt, useDraft: false }, kept, stored)
  }

  async function scheduleDraft(
    grant: GrantRecord,
    id: string,
    prepared: PreparedMessage,
    sendAt: number,
    context: RequestContext,
  ): Promise<void> {
    const drafts = deps.access.capability(grant, 'drafts', 'have drafts')
    const draft = await deps.sessions.use(grant, context, (session) =>
      drafts.create(session, prepared.message),
    )
    const { metadata } = prepared
    if (metadata && Object.keys(metadata).length > 0) {
      await deps.metadata.put(grant, 'draft', draft.id, metadata)
    }
    await insert(grant, { id, sendAt, useDraft: true }, keepDraft(draft.id, prepared), 0)
  }

  async function insert(
    grant: GrantRecord,
    send: { readonly id: string; readonly sendAt: number; readonly useDraft: boolean },
    kept: KeptMessage,
    stored: number,
  ): Promise<void> {
    const owner = { applicationId: grant.applicationId, grantId: grant.id }
    await deps.database.transaction(async (stores) => {
      if (!(await stores.grants.hold(grant.id))) throw appError('grant.not_found')
      if ((await stores.contents.keep(send.id)) !== stored) throw appError('grant.not_found')
      const sealedMessage = sealKept(deps.vault, { ...owner, ...send }, kept)
      await stores.scheduledSends.insert({ ...owner, ...send, sealedMessage })
    })
    deps.log.info({ grantId: grant.id, scheduleId: send.id, sendAt: send.sendAt }, 'scheduled_send.stored')
  }
}
