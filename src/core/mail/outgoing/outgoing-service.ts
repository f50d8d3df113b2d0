import type { MessageSender, OutgoingService } from '../../ports/mail-services.ts'
import { createDraftCases } from './drafts.ts'
import { createMessageSender } from './message-sender.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { createSendDraft } from './send-draft.ts'
import { createSendCases } from './send-message.ts'

/**
 * The use-cases of what goes out: sending and drafts.
 * @param sender  the one that scheduled sends use, too
 */
export function createOutgoingService(
  deps: OutgoingDeps,
  sender: MessageSender = createMessageSender(deps),
): OutgoingService {
  return { ...createSendCases(deps, sender), ...createDraftCases(deps), ...createSendDraft(deps) }
}
