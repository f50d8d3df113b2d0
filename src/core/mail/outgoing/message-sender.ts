import type { WireSentMessage } from '../../../contract/message.ts'
import type { MessageSender, PreparedMessage } from '../../ports/mail-services.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { presentSent } from './sent-message.ts'
import { checkSize } from './message-size.ts'

/** Makes the one way out for messages: requests and scheduled sends go through it. */
export function createMessageSender(deps: OutgoingDeps): MessageSender {
  return {
    async send(grant, prepared, context, { withHeaders }) {
      const { message } = prepared
      const send = deps.access.capability(grant, 'send', 'send messages')
      checkSize(deps.access.facts(grant), message)
      const sent = await deps.sessions.use(grant, context, (session) =>
        send.send(session, message, { withHeaders }),
      )
      const wire = presentSent(grant, prepared, sent)
      await keepBehind(deps, grant, prepared, wire)
      return wire
    },
  }
}

/**
 * Keeps what belongs to a message that has gone: its metadata and tracking. Never fails: the message is out, and an
 * error would make the client send it again.
 */
export async function keepBehind(
  deps: OutgoingDeps,
  grant: GrantRecord,
  { metadata, tracking }: Pick<PreparedMessage, 'metadata' | 'tracking'>,
  wire: WireSentMessage,
): Promise<void> {
  const { id = '', thread_id: threadId = '' } = wire
  try {
    if (metadata && Object.keys(metadata).length > 0) await deps.metadata.put(grant, 'message', id, metadata)
    if (tracking) await deps.tracking.sent(grant, tracking, { id, threadId, wire })
  } catch (error) {
    deps.log.error({ grantId: grant.id, err: error }, 'sent_message.extras_lost')
  }
}
