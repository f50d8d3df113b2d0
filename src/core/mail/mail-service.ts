import type { ProviderName } from '../../contract/providers.ts'
import type { GrantSessions } from '../grants/sessions.ts'
import type { MessageTracking, MetadataKeeper } from '../ports/mail-services.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { MailService } from '../ports/services.ts'
import type { Vault } from '../ports/vault.ts'
import { createAttachmentCases } from './attachments.ts'
import { createFolderCases } from './folders.ts'
import { createMailAccess } from './mail-access.ts'
import { createMessageExtras } from './message-extras.ts'
import { createMessageCases } from './messages.ts'
import type { SharedReads } from './shared-reads.ts'
import { createThreadCases } from './threads.ts'

/** The use-cases of mail but for what goes out (outgoing/): picks the provider's capability, opens and wraps cursors. */
export function createMailService(deps: {
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly sessions: GrantSessions
  /** over the same sessions */
  readonly reads: SharedReads
  readonly metadata: MetadataKeeper
  readonly tracking: Pick<MessageTracking, 'optionsOf'>
  readonly vault: Vault
  /** How long a download may stand still, in milliseconds; a minute when left out. */
  readonly stallMs?: number
}): MailService {
  const shared = { access: createMailAccess(deps), reads: deps.reads }
  const withExtras = createMessageExtras(deps)
  return {
    ...createMessageCases({ ...shared, metadata: deps.metadata, withExtras }),
    ...createThreadCases(shared),
    ...createFolderCases(shared),
    ...createAttachmentCases({ ...shared, sessions: deps.sessions, stallMs: deps.stallMs }),
  }
}
