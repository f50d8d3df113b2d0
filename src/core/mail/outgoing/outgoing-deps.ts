import type { Clock } from '../../../kit/clock.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { Logger } from '../../../kit/logger.ts'
import type { GrantSessions } from '../../grants/sessions.ts'
import type {
  MessageScheduler,
  MessageTracking,
  MetadataKeeper,
  SignatureReader,
  TemplateRenderer,
  UploadedFiles,
} from '../../ports/mail-services.ts'
import type { Database } from '../../ports/stores.ts'
import type { MailAccess } from '../mail-access.ts'

/** What sending is made of. An option whose part is left out is refused with a 400 that names it. */
export interface OutgoingDeps {
  readonly access: MailAccess
  /** Whatever changes a mailbox goes through it: reads from before are shared by nobody afterwards. */
  readonly sessions: GrantSessions
  readonly metadata: MetadataKeeper
  readonly tracking: MessageTracking
  readonly database: Database
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly templates?: TemplateRenderer | undefined
  readonly signatures?: SignatureReader | undefined
  readonly uploads: UploadedFiles
  readonly scheduler: MessageScheduler
}
