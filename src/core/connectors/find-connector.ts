import { appError } from '../../contract/errors.ts'
import { isProviderName, type ProviderName } from '../../contract/providers.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'

/**
 * Finds the connector a path names.
 * @throws AppError `connector.not_found` (404), also for a provider nobody knows
 */
export async function findConnector(
  stores: Stores,
  caller: Caller,
  provider: string,
): Promise<ConnectorRecord> {
  const connector = isProviderName(provider)
    ? await stores.connectors.find(caller.applicationId, provider)
    : null
  if (!connector) throw appError('connector.not_found')
  return connector
}

/**
 * Finds the module that speaks a provider.
 * @throws AppError `api.invalid_request_error` where this server has none
 */
export function moduleOf(
  providers: ReadonlyMap<ProviderName, ProviderModule>,
  provider: ProviderName,
): ProviderModule {
  const module = providers.get(provider)
  if (!module) {
    throw appError('api.invalid_request_error', `This server does not speak the provider ${provider} yet.`)
  }
  return module
}
