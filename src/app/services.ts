import type { ProviderName } from '../contract/providers.ts'
import { createApiKeyService } from '../core/api-keys/api-keys.ts'
import { createApplicationService } from '../core/applications/applications.ts'
import { createCallbackUriService } from '../core/applications/callback-uris.ts'
import { createConnectorService } from '../core/connectors/connectors.ts'
import { createCredentialService } from '../core/credentials/credentials.ts'
import { type AccessTokens, createAccessTokens } from '../core/grants/access-tokens.ts'
import { createGrantService } from '../core/grants/grant-service.ts'
import { createGrantVault } from '../core/grants/grant-vault.ts'
import { createProviderClients } from '../core/grants/provider-clients.ts'
import { createGrantSessions } from '../core/grants/sessions.ts'
import { createMailService } from '../core/mail/mail-service.ts'
import type { ProviderModule } from '../core/ports/provider.ts'
import type { DetectService, Services } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import type { Vault } from '../core/ports/vault.ts'
import type { Clock } from '../kit/clock.ts'
import type { Ids } from '../kit/ids.ts'
import type { Logger } from '../kit/logger.ts'

export interface ServiceDeps {
  readonly database: Database
  readonly vault: Vault
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly detect: DetectService
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
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
  }
  const accessTokens = createAccessTokens(refresh)
  const sessions = createGrantSessions({ ...refresh, accessTokens })
  const services: Services = {
    apiKeys: createApiKeyService(deps),
    applications: createApplicationService(deps),
    callbackUris: createCallbackUriService(deps),
    connectors: createConnectorService(deps),
    credentials: createCredentialService(deps),
    grants: createGrantService({ ...refresh, accessTokens, sessions }),
    detect: deps.detect,
    mail: createMailService({ ...deps, sessions }),
  }
  return { services, accessTokens }
}
