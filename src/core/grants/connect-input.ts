import { appError } from '../../contract/errors.ts'
import { credentialId, type CredentialId } from '../../contract/ids.ts'
import { isProviderName } from '../../contract/providers.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import type { GrantMaterial, ProviderClient } from '../ports/identity.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import { inTenantOf } from './provider-clients.ts'
import type { RefreshDeps } from './refresh-flight.ts'

/** A request to connect a mailbox, checked: nothing was sent to a provider yet. */
export interface ConnectInput {
  readonly module: ProviderModule
  readonly connector: ConnectorRecord
  readonly material: GrantMaterial
  /** null where the connector has no client */
  readonly client: ProviderClient | null
  /**
   * The credential the grant stays with: the named one, else the one that is active now. A refresh token works
   * with the client it was issued to only.
   */
  readonly credentialId: CredentialId | null
}

/**
 * Checks provider, connector, settings and credential of a request.
 * @param topLevelCredentialId  where the Java SDK puts `credential_id`; the one in `settings` wins
 * @throws AppError of contract/auth.md 2.5; the message names the field
 */
export async function readConnectInput(
  deps: RefreshDeps,
  caller: Caller,
  provider: string | undefined,
  settings: unknown,
  topLevelCredentialId?: string,
): Promise<ConnectInput> {
  const module = moduleOf(deps, provider)
  if (!isJsonObject(settings)) throw appError('api.invalid_request_error', 'settings is required.')
  const connector = await connectorOf(deps, caller, module)
  const material = module.identity.readSettings(withAliases(settings))
  const named = material.credentialId ?? topLevelCredentialId
  if (material.credentialType === undefined) refuseUnusedCredential(module, named)
  const opened = await deps.clients.open(connector, named, material.credentialType)
  const client = opened && inTenantOf(opened, material.publicSettings)
  const boundTo = named === undefined ? connector.activeCredentialId : credentialId(named)
  return { module, connector, material, client, credentialId: client ? boundTo : null }
}

/**
 * Checks provider, connector and credential where there are no settings yet.
 * @throws AppError of contract/auth.md 2.5; the message names the field
 */
export async function readConnectTarget(
  deps: RefreshDeps,
  caller: Caller,
  provider: string,
  named: string | undefined,
): Promise<Pick<ConnectInput, 'module' | 'connector' | 'client'>> {
  const module = moduleOf(deps, provider)
  const connector = await connectorOf(deps, caller, module)
  refuseUnusedCredential(module, named)
  return { module, connector, client: await deps.clients.open(connector, named, undefined) }
}

async function connectorOf(
  deps: RefreshDeps,
  caller: Caller,
  module: ProviderModule,
): Promise<ConnectorRecord> {
  const connector = await deps.database.stores.connectors.find(caller.applicationId, module.id)
  if (connector) return connector
  throw appError(
    'connector.missing',
    `Connector not found for provider ${module.id}. Create it with POST /v3/connectors.`,
  )
}

function refuseUnusedCredential(module: ProviderModule, named: string | undefined): void {
  if (!named || module.connector.isOAuthClient) return
  throw appError('api.invalid_request_error', `credential_id is not used by provider ${module.id}.`)
}

function moduleOf(deps: RefreshDeps, provider: string | undefined): ProviderModule {
  if (!provider) throw appError('grant.provider_required')
  const module = isProviderName(provider) ? deps.providers.get(provider) : undefined
  if (module) return module
  throw appError(
    'api.invalid_request_error',
    isProviderName(provider) || provider === 'nylas'
      ? `provider: this server does not speak ${provider} yet.`
      : `provider must be one of ${[...deps.providers.keys()].join(', ')}.`,
  )
}

/** `email_address` and `email` mean the same (contract/auth.md 2.1). */
function withAliases(settings: JsonObject): JsonObject {
  const email = stringField(settings, 'email') ?? stringField(settings, 'email_address')
  return email === undefined ? settings : { email, email_address: email, ...settings }
}
