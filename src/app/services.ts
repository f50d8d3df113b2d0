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
import { createMailService } from '../core/mail/mail-service.ts'
import { createTokenService } from '../core/tokens/token-service.ts'
import { createDeliveryService } from '../core/webhooks/deliveries.ts'
import { createWebhookService } from '../core/webhooks/webhooks.ts'
import { createImporter } from '../core/import/importer.ts'
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
  /** The address clients use, without a slash at its end. Known only once the server listens. */
  readonly publicUrl: () => string
}

/** Puts core's use-cases together. */
export function createServices(deps: ServiceDeps): {
  readonly services: Services
  readonly accessTokens: AccessTokens
} {
  const refresh = {
    ...deps,
    grantVault: createGrantVault(deps.vault),
    clients: createProviderClients(deps),
    alarms: createConnectorAlarms(deps),
  }
  const accessTokens = createAccessTokens(refresh)
  const sessions = createGrantSessions({ ...refresh, accessTokens })
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
    mail: createMailService({ ...deps, sessions }),
    tokens,
    hosted: createHostedService({ ...refresh, accessTokens, tokens }),
    browserOrigins: createBrowserOriginService(deps),
    webhooks: createWebhookService(deps),
    deliveries: createDeliveryService(deps),
    auditLog: createAuditLogService(deps),
    limits,
  }
  return { services, accessTokens }
}
