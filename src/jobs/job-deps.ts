import type { AccessTokens } from '../core/grants/access-tokens.ts'
import type { ReplyWatcher } from '../core/mail/tracking/reply-watch.ts'
import type { Mailer } from '../core/ports/mailer.ts'
import type { ScheduledSending } from '../core/ports/mail-services.ts'
import type { Telemetry } from '../core/ports/telemetry.ts'
import type { Database } from '../core/ports/stores.ts'
import type { Vault } from '../core/ports/vault.ts'
import type { KeyRotation } from '../core/vault/rotate-keys.ts'
import type { Clock } from '../kit/clock.ts'
import type { Ids } from '../kit/ids.ts'
import type { Logger } from '../kit/logger.ts'
import type { HttpClient } from '../kit/outbound/http-client.ts'

/** What background work is made of. */
export interface JobDeps {
  readonly database: Database
  readonly vault: Vault
  readonly keyRotation: KeyRotation
  readonly accessTokens: AccessTokens
  readonly scheduledSending: ScheduledSending
  /** Speaks to hosts that users name, through the egress guard. */
  readonly userHosts: HttpClient
  /** null where the operator has configured no mail server */
  readonly mailer: Mailer | null
  readonly replyWatcher: ReplyWatcher
  readonly telemetry: Telemetry
  /** refreshes in the background per connector and second, over all processes */
  readonly refreshRate: number
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}
