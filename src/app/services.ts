import type { ProviderName } from '../contract/providers.ts'
import { createApiKeyService } from '../core/api-keys/api-keys.ts'
import { createApplicationService } from '../core/applications/applications.ts'
import { createBrowserOriginService } from '../core/applications/browser-origins.ts'
import { createAuditLogService } from '../core/audit/audit-log.ts'
import { createCallbackUriService } from '../core/applications/callback-uris.ts'
import { createConnectorAlarms } from '../core/connectors/connector-alarms.ts'
import { createConnectorService } from '../core/connectors/connectors.ts'
import { createCredentialService } from '../core/credentials/credentials.ts'
import { type AccessTokens, createAccessTokens } from '../core/grants/access-tokens.ts'
import { readCondition } from '../core/grants/condition.ts'
import { createGrantService } from '../core/grants/grant-service.ts'
import { createGrantVault } from '../core/grants/grant-vault.ts'
import { createProviderClients } from '../core/grants/provider-clients.ts'
import { createGrantSessions } from '../core/grants/sessions.ts'
import { createHostedService } from '../core/hosted/hosted-service.ts'
import { createRequestLimits } from '../core/limits/request-limits.ts'
import { createTokenAttempts } from '../core/limits/token-attempts.ts'
import { createIdempotency } from '../core/mail/idempotency.ts'
import { createCleanService } from '../core/mail/clean/clean-messages.ts'
import { createMailAccess } from '../core/mail/mail-access.ts'
import { createMailService } from '../core/mail/mail-service.ts'
import { createMessageExtras } from '../core/mail/message-extras.ts'
import { createMetadataKeeper } from '../core/mail/metadata-keeper.ts'
import { createOutgoingService } from '../core/mail/outgoing/outgoing-service.ts'
import { createScheduledSending } from '../core/mail/scheduled/scheduled-sending.ts'
import { createSignatureReader, createSignatureService } from '../core/mail/signatures/signature-service.ts'
import { createTemplateRenderer, createTemplateService } from '../core/mail/templates/template-service.ts'
import { createScheduler } from '../core/mail/scheduled/scheduler.ts'
import { createScheduleService } from '../core/mail/scheduled/schedules.ts'
import { createMessageTracking } from '../core/mail/tracking/message-tracking.ts'
import { createReplyWatcher, type ReplyWatcher } from '../core/mail/tracking/reply-watch.ts'
import { createTrackingService } from '../core/mail/tracking/tracking-service.ts'
import type { TrackingMode } from '../core/mail/tracking/visitor.ts'
import { createSharedReads } from '../core/mail/shared-reads.ts'
import { createContentKeeper } from '../core/mail/uploads/content-keeper.ts'
import { createUploads } from '../core/mail/uploads/uploads.ts'
import { createTokenService } from '../core/tokens/token-service.ts'
import { createDeliveryService } from '../core/webhooks/deliveries.ts'
import { createWebhookService } from '../core/webhooks/webhooks.ts'
import { createImporter } from '../core/import/importer.ts'
import type { ScheduledSending } from '../core/ports/mail-services.ts'
import type { ProviderModule } from '../core/ports/provider.ts'
import type { DetectService, Services } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import type { Telemetry } from '../core/ports/telemetry.ts'
import type { Vault } from '../core/ports/vault.ts'
import type { Clock } from '../kit/clock.ts'
import type { Ids } from '../kit/ids.ts'
import type { HttpClient } from '../kit/outbound/http-client.ts'
import type { Logger } from '../kit/logger.ts'

export interface ServiceDeps {
  readonly database: Database
  readonly vault: Vault
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly detect: DetectService
  /** Speaks to hosts that users name, through the egress guard. */
  readonly userHosts: HttpClient
  /** public addresses this server sends from */
  readonly egressIps: readonly string[]
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Multiplies the limits on requests; 0 switches them off; 1 when left out. */
  readonly rateLimitFactor?: number
  /** `anonymous` when left out */
  readonly trackingMode?: TrackingMode
  /** The address recipients of tracked messages reach; left out: opens and links can't be tracked. */
  readonly trackingUrl?: string | undefined
  /** The address clients use, without a slash at its end. Known only once the server listens. */
  readonly publicUrl: () => string
}

/** Puts core's use-cases together. */
export function createServices(deps: ServiceDeps): {
  readonly services: Services
  readonly accessTokens: AccessTokens
  readonly scheduledSending: ScheduledSending
  readonly replyWatcher: ReplyWatcher
} {
  const refresh = {
    ...deps,
    grantVault: createGrantVault(deps.vault),
    clients: createProviderClients(deps),
    alarms: createConnectorAlarms(deps),
  }
  const accessTokens = createAccessTokens(refresh)
  const sessions = createGrantSessions({ ...refresh, accessTokens })
  // Whatever changes a mailbox goes through `reads.use`, so that no read from before it is shared afterwards.
  const reads = createSharedReads({ sessions, clock: deps.clock })
  const metadata = createMetadataKeeper(deps)
  const trackingDeps = { ...deps, mode: deps.trackingMode ?? 'anonymous', publicUrl: deps.trackingUrl }
  const tracking = createMessageTracking(trackingDeps)
  const mail = { ...deps, access: createMailAccess(deps), sessions: reads, metadata }
  const contents = createContentKeeper(deps)
  const uploads = createUploads({ ...mail, contents })
  const outgoing = {
    ...mail,
    tracking,
    uploads,
    scheduler: createScheduler({ ...mail, contents }),
    signatures: createSignatureReader(deps),
    templates: createTemplateRenderer(deps),
  }
  const apiKeys = createApiKeyService(deps)
  const limits = createRequestLimits({
    ...deps,
    rates: deps.database.stores.rates,
    factor: deps.rateLimitFactor ?? 1,
  })
  const attempts = createTokenAttempts(limits)
  const tokens = createTokenService({ ...deps, apiKeys, attempts, issuer: deps.publicUrl })
  const services: Services = {
    condition: () => readCondition(deps),
    apiKeys,
    applications: createApplicationService(deps),
    callbackUris: createCallbackUriService(deps),
    connectors: createConnectorService(deps),
    credentials: createCredentialService(deps),
    grants: createGrantService({ ...refresh, accessTokens, sessions }),
    imports: createImporter({ ...refresh, accessTokens }),
    detect: deps.detect,
    mail: createMailService({ ...deps, sessions, reads, metadata, tracking }),
    outgoing: createOutgoingService(outgoing),
    clean: createCleanService({ ...mail, reads, withExtras: createMessageExtras({ metadata, tracking }) }),
    signatures: createSignatureService(deps),
    templates: createTemplateService(deps),
    tracking: createTrackingService(trackingDeps),
    schedules: createScheduleService(deps),
    uploads,
    idempotency: createIdempotency(deps),
    tokens,
    hosted: createHostedService({ ...refresh, accessTokens, tokens }),
    browserOrigins: createBrowserOriginService(deps),
    webhooks: createWebhookService(deps),
    deliveries: createDeliveryService(deps),
    auditLog: createAuditLogService(deps),
    limits,
  }
  return {
    services,
    accessTokens,
    scheduledSending: createScheduledSending({ ...outgoing, contents }),
    replyWatcher: createReplyWatcher({ ...deps, sessions }),
  }
}
