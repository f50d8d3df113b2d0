import type { FullDraft, WireSentMessage } from '../../../contract/message.ts'
import { AppError } from '../../../kit/app-error.ts'
import { unixSeconds } from '../../../kit/clock.ts'
import { withDeadline } from '../../../kit/deadline.ts'
import { storePatiently } from '../../grants/patient-store.ts'
import type { ContentKeeper, ScheduledSending } from '../../ports/mail-services.ts'
import type { ClaimedSend, SendUnderWay } from '../../ports/mail-stores-scheduled.ts'
import type { GrantRecord, OutboxEvent } from '../../ports/records.ts'
import type { RequestContext } from '../../ports/services.ts'
import type { Telemetry } from '../../ports/telemetry.ts'
import type { Vault } from '../../ports/vault.ts'
import { createMessageSender, keepBehind } from '../outgoing/message-sender.ts'
import type { OutgoingDeps } from '../outgoing/outgoing-deps.ts'
import { presentScheduled } from '../outgoing/sent-message.ts'
import {
  type KeptMessage,
  KeptByAnotherVersion,
  openKept,
  preparedFacts,
  prepareKept,
} from './kept-message.ts'
import { failedEvent, type SendFailure, sentEvent } from './send-event.ts'
import { judgeFailure, nextTryInMs, type SendWatch, type Verdict, watchSends } from './send-failure.ts'

/** Slow Exchange servers take this long (contract/email.md 4.7). */
const SEND_TIMEOUT_MS = 150_000
const LOST =
  'The server stopped while the message was being sent: it may have been sent. Look for it in the Sent folder ' +
  'before you send it again.'
const UNANSWERED =
  'The provider did not say whether it took the message: it may have been sent. Look for it in the Sent folder ' +
  'before you send it again.'
const UNREADABLE = 'The stored message cannot be read.'
const OTHER_VERSION =
  'The message was stored by another version of this server, and this one cannot read it: schedule it again.'

/** What sending later is made of. */
export interface ScheduledSendingDeps extends OutgoingDeps {
  readonly vault: Vault
  readonly contents: ContentKeeper
  readonly telemetry: Telemetry
}

/** A claimed message with all that sending it takes. */
interface Work {
  readonly claimed: ClaimedSend
  readonly grant: GrantRecord
  readonly kept: KeptMessage
  readonly context: RequestContext
  readonly watch: SendWatch
}

/**
 * Sends what was scheduled: at most once, and never silently not at all. That a message is being sent is on the disk
 * before the provider is asked, and what came of it is written together with its event. A message whose process dies in
 * between is closed as failed, with a text that says that nobody knows.
 */
export function createScheduledSending(deps: ScheduledSendingDeps): ScheduledSending {
  const { scheduledSends, grants } = deps.database.stores
  return {
    async send(claimed) {
      const grant = await grants.find(claimed.applicationId, claimed.grantId)
      if (!grant) return // the schedule went with it
      const kept = await openKept(deps.vault, claimed).catch((error: unknown) => {
        if (error instanceof AppError) throw error // the database is away: the claim runs out
        deps.log.error({ scheduleId: claimed.id, err: error }, 'scheduled_send.unreadable')
        return error instanceof KeptByAnotherVersion ? OTHER_VERSION : UNREADABLE
      })
      if (typeof kept === 'string') {
        await fail(claimed, { reason: kept, ...INTERNAL }, null)
        deps.telemetry.scheduledSend({ result: 'failed' })
        return
      }
      const context = {
        requestId: `schedule-${claimed.id}`,
        signal: withDeadline(undefined, SEND_TIMEOUT_MS),
      }
      await sendKept({ claimed, grant, kept, context, watch: watchSends(deps.sessions) })
    },
    async abandon(send) {
      const grant = await grants.find(send.applicationId, send.grantId)
      if (!grant) return
      const kept = await openKept(deps.vault, send).catch((error: unknown) => {
        if (error instanceof AppError) throw error
        return null // its event goes without the message
      })
      const failure = { reason: LOST, type: 'api.provider_error', status: 504 }
      await fail(send, failure, kept && presentKept(grant, send, kept))
      deps.telemetry.scheduledSend({ result: 'unknown' })
    },
  }

  async function sendKept(work: Work): Promise<void> {
    const { claimed } = work
    let draft: FullDraft | null
    try {
      draft = await findDraft(work)
    } catch (error) {
      const verdict = judgeFailure(error, work.watch.isUnsent(error))
      // Nothing has been sent yet, whatever it was.
      return await settle(work, error, verdict === 'unknown' ? 'later' : verdict)
    }
    let isOurs: boolean
    try {
      isOurs = await scheduledSends.begin(claimed.id, claimed.lease)
    } catch (error) {
      // Whether that was written is not known; that nothing was sent is.
      return await settle(work, error, 'later')
    }
    if (!isOurs) return // another process has it by now
    let wire: WireSentMessage
    try {
      wire = draft ? await sendDraft(work, draft) : await sendMessage(work)
    } catch (error) {
      return await settle(work, error, judgeFailure(error, work.watch.isUnsent(error)))
    }
    await close(claimed, { state: 'success', description: '' }, sentEvent(deps, claimed, wire))
    deps.telemetry.scheduledSend({ result: 'sent' })
    deps.log.info({ grantId: claimed.grantId, scheduleId: claimed.id }, 'scheduled_send.sent')
  }

  /** The draft as it is now; null for a message that is kept here. */
  async function findDraft({ grant, kept, context, watch }: Work): Promise<FullDraft | null> {
    const { draftId } = kept
    if (draftId === null) return null
    const drafts = deps.access.capability(grant, 'drafts', 'have drafts')
    return await watch.sessions.use(grant, context, (session) => drafts.find(session, draftId, {}))
  }

  async function sendMessage({ grant, kept, context, watch }: Work): Promise<WireSentMessage> {
    const { message, ...extras } = await prepareKept(deps.contents, kept)
    const sender = createMessageSender({ ...deps, sessions: watch.sessions })
    // It may be late: its date says when it went.
    const dated = { ...message, date: unixSeconds(deps.clock) }
    return await sender.send(grant, { ...extras, message: dated }, context, { withHeaders: false })
  }

  async function sendDraft(work: Work, draft: FullDraft): Promise<WireSentMessage> {
    const { grant, kept, context, watch } = work
    const drafts = deps.access.capability(grant, 'drafts', 'have drafts')
    const sent = await watch.sessions.use(grant, context, (session) => drafts.send(session, draft.id))
    const metadata = await metadataOf(grant, draft.id)
    const wire: WireSentMessage = {
      ...draft,
      id: sent.id,
      object: 'message',
      thread_id: sent.threadId,
      date: sent.date,
      created_at: sent.date,
      folders: [...sent.folders],
      unread: false,
      ...(sent.attachments ? { attachments: [...sent.attachments] } : {}),
      ...metadata,
    }
    const { tracking } = kept.extras
    await keepBehind(deps, grant, { ...metadata, ...(tracking ? { tracking } : {}) }, wire)
    return wire
  }

  /** What the draft carried, which may have changed since it was scheduled. The message is out: nothing fails here. */
  async function metadataOf(grant: GrantRecord, draftId: string) {
    try {
      const metadata = (await deps.metadata.of(grant, 'draft', [draftId])).get(draftId)
      if (!metadata) return {}
      await deps.metadata.remove(grant, 'draft', draftId)
      return { metadata }
    } catch (error) {
      deps.log.error({ grantId: grant.id, err: error }, 'sent_message.extras_lost')
      return {}
    }
  }

  /** Writes down what is to become of a message that was not, or may not have been, sent. */
  async function settle({ claimed, grant, kept }: Work, error: unknown, verdict: Verdict): Promise<void> {
    const failure = failureOf(error, verdict)
    const { attempts, triedForMs: forMs } = claimed
    const afterMs = verdict === 'later' ? nextTryInMs(error, { attempts, forMs }) : null
    deps.log.warn(
      { grantId: grant.id, scheduleId: claimed.id, verdict, afterMs, reason: failure.reason, err: error },
      'scheduled_send.not_sent',
    )
    if (afterMs !== null) {
      const description = `It will be tried again: ${failure.reason}`
      await storePatiently(deps.log, { scheduleId: claimed.id }, () =>
        scheduledSends.retry(claimed.id, claimed.lease, { afterMs, description }),
      )
      deps.telemetry.scheduledSend({ result: 'retried' })
      return
    }
    await fail(claimed, failure, presentKept(grant, claimed, kept))
    deps.telemetry.scheduledSend({ result: verdict === 'unknown' ? 'unknown' : 'failed' })
  }

  function presentKept(
    grant: GrantRecord,
    send: SendUnderWay | ClaimedSend,
    kept: KeptMessage,
  ): WireSentMessage {
    return presentScheduled(grant, preparedFacts(deps.contents, kept), send)
  }

  async function fail(
    send: SendUnderWay | ClaimedSend,
    failure: SendFailure,
    wire: WireSentMessage | null,
  ): Promise<void> {
    const outcome = { state: 'failed', description: failure.reason } as const
    await close(send, outcome, failedEvent(deps, send, failure, wire))
  }

  /** While the database is away it is tried again: what came of a message is not forgotten by a process that lives. */
  async function close(
    { id, lease }: SendUnderWay | ClaimedSend,
    outcome: { readonly state: 'success' | 'failed'; readonly description: string },
    event: OutboxEvent,
  ): Promise<void> {
    await storePatiently(deps.log, { scheduleId: id }, () =>
      deps.database.transaction(async (stores) => {
        if (!(await stores.scheduledSends.close(id, lease, outcome))) return
        await stores.contents.removeOf(id)
        await stores.outbox.insert(event)
      }),
    )
  }
}

const INTERNAL = { type: 'api.internal_error', status: 500 }

function failureOf(error: unknown, verdict: Verdict): SendFailure {
  const known =
    error instanceof AppError
      ? {
          reason: error.message,
          type: error.type,
          status: error.status,
          ...(error.extras.providerError ? { providerError: error.extras.providerError } : {}),
        }
      : { reason: 'Something went wrong on our side.', ...INTERNAL }
  // No database keeps the zero character that a server may have in its words.
  const reason = known.reason.replaceAll('\0', '')
  return { ...known, reason: verdict === 'unknown' ? `${UNANSWERED} ${reason}` : reason }
}
