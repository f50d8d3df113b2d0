import { BASIC_HEADERS } from '../../../contract/message.ts'
import type { SendBody } from '../../../contract/outgoing.ts'
import { unixSeconds } from '../../../kit/clock.ts'
import { withDeadline } from '../../../kit/deadline.ts'
import type { MessageSender, OutgoingService, SendAnswer } from '../../ports/mail-services.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { RequestContext } from '../../ports/services.ts'
import { invalidField } from './field-checks.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { prepareMessage } from './prepare-message.ts'
import { readRawMessage } from './raw-message.ts'
import { presentScheduled, presentSent, snippetOf } from './sent-message.ts'
import { checkSourceSize } from './message-size.ts'
import { readTracking, withTracking } from './tracking-request.ts'

/** Slow Exchange servers take this long (contract/email.md 4.7); the request itself is answered before. */
const SEND_TIMEOUT_MS = 150_000
const SOONEST_SECONDS = 60
const LATEST_SECONDS = 30 * 24 * 60 * 60
/** Of a draft, which waits at the provider; a later time no clock or database could be trusted with. */
const LATEST_OF_DRAFT_SECONDS = 10 * 365 * 24 * 60 * 60

/** A send that has begun goes on when its client hangs up: what is left to decide is only who hears of it. */
export function withoutHangUp(context: RequestContext): RequestContext {
  return { ...context, signal: withDeadline(undefined, SEND_TIMEOUT_MS) }
}

/** `POST /messages/send`: now, later, or as raw MIME. */
export function createSendCases(
  deps: OutgoingDeps,
  sender: MessageSender,
): Pick<OutgoingService, 'send' | 'sendRaw'> {
  return {
    async send(grant, { body, files, fields }, context) {
      const when = readSchedule(deps, grant, body)
      const options = readTracking(body.tracking_options)
      const asked = await prepareMessage(deps, grant, { body, files })
      const { message, tracking } = await withTracking(deps, grant, asked, options)
      const extras = {
        ...(body.metadata ? { metadata: body.metadata } : {}),
        ...(tracking ? { tracking } : {}),
      }
      if (when) return await schedule(grant, { asked, message, extras }, when, context)
      const withHeaders = fields !== 'standard'
      const prepared = { message, ...extras }
      const sent = await sender.send(grant, prepared, withoutHangUp(context), { withHeaders })
      // The client sees its own body again, without the image and the links of ours.
      return {
        data: { ...only(sent, fields), body: asked.body, snippet: snippetOf(asked) },
        scheduled: false,
      }
    },
    async sendRaw(grant, source, fields, context) {
      const send = deps.access.capability(grant, 'send', 'send messages')
      const raw = readRawMessage(deps, grant, source)
      checkSourceSize(deps.access.facts(grant), raw.source.length)
      const sent = await deps.sessions.use(grant, withoutHangUp(context), (session) =>
        send.sendRaw(session, raw.source, { withHeaders: fields !== 'standard' }),
      )
      return { data: only(presentSent(grant, { message: raw.message }, sent), fields), scheduled: false }
    },
  }

  async function schedule(
    grant: GrantRecord,
    { asked, message, extras }: ScheduledParts,
    when: { readonly sendAt: number; readonly useDraft: boolean },
    context: RequestContext,
  ): Promise<SendAnswer> {
    deps.access.capability(grant, 'send', 'send messages')
    const prepared = { message: { ...message, date: when.sendAt }, ...extras }
    const id = await deps.scheduler.schedule(grant, prepared, when, withoutHangUp(context))
    return {
      data: presentScheduled(grant, { ...prepared, message: asked }, { id, ...when }),
      scheduled: true,
    }
  }
}

interface ScheduledParts {
  readonly asked: Awaited<ReturnType<typeof prepareMessage>>
  readonly message: Awaited<ReturnType<typeof prepareMessage>>
  readonly extras: Omit<Parameters<MessageSender['send']>[1], 'message'>
}

/** @throws AppError 400 */
function readSchedule(deps: OutgoingDeps, grant: GrantRecord, body: SendBody) {
  const { send_at: sendAt, use_draft: useDraft = false } = body
  if (sendAt === undefined) {
    if (useDraft) throw invalidField('use_draft needs send_at')
    return undefined
  }
  if (useDraft && deps.access.facts(grant)?.schedulesDrafts !== true) {
    throw invalidField(`use_draft is not supported by ${grant.provider} grants`)
  }
  const aheadSeconds = sendAt - unixSeconds(deps.clock)
  if (useDraft && aheadSeconds <= 0) throw invalidField('send_at must be in the future')
  if (useDraft && aheadSeconds > LATEST_OF_DRAFT_SECONDS) {
    throw invalidField('send_at must be at most 10 years ahead')
  }
  if (!useDraft && aheadSeconds < SOONEST_SECONDS)
    throw invalidField('send_at must be at least 1 minute ahead')
  if (!useDraft && aheadSeconds > LATEST_SECONDS) throw invalidField('send_at must be at most 30 days ahead')
  return { sendAt, useDraft }
}

/** `include_basic_headers` shows the three headers that threads are made of. */
function only(data: SendAnswer['data'], fields: string): SendAnswer['data'] {
  if (fields !== 'include_basic_headers' || !data.headers) return data
  return { ...data, headers: data.headers.filter(({ name }) => BASIC_HEADERS.includes(name.toLowerCase())) }
}
