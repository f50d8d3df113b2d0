import { appError } from '../../contract/errors.ts'
import { type ApplicationId, credentialId as asCredentialId } from '../../contract/ids.ts'
import { type CredentialType, PROVIDER_NAMES } from '../../contract/providers.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord, CredentialRecord } from '../ports/records.ts'
import type { HostedDeps } from './hosted-deps.ts'
import type { HostedRequest } from './hosted-request.ts'
import { invalidParameter } from './refusal.ts'

/** A provider the user may take: there is a way in, and the application has a connector. */
export interface Option {
  readonly module: ProviderModule
  readonly connector: ConnectorRecord
}

/** Lists what the user may choose from, in the application's order where it named any, else the best known first. */
export async function listOptions(
  deps: HostedDeps,
  applicationId: ApplicationId,
  { providers }: Pick<HostedRequest, 'providers'>,
): Promise<readonly Option[]> {
  const connectors = await deps.database.stores.connectors.list(applicationId)
  const options = connectors.flatMap((connector): Option[] => {
    const module = deps.providers.get(connector.provider)
    const isAllowed = providers?.includes(connector.provider) ?? true
    return module && isAllowed && hasWayIn(module) ? [{ module, connector }] : []
  })
  const order = providers ?? PROVIDER_NAMES
  const place = ({ connector }: Option) => order.indexOf(connector.provider)
  return options.toSorted((one, other) => place(one) - place(other))
}

/** Whether only one provider was asked for: then there is nothing to choose. */
export function isDirect({ providers }: Pick<HostedRequest, 'providers'>): boolean {
  return providers?.length === 1
}

/**
 * Narrows the providers that were asked for to those that can be: `ews` where this server does not speak it, the one
 * whose credential is named.
 * @throws AppError for the application
 */
export async function narrowProviders(
  deps: HostedDeps,
  applicationId: ApplicationId,
  request: HostedRequest,
): Promise<HostedRequest> {
  const hopeless = request.providers?.find((name) => {
    const module = deps.providers.get(name)
    return module && !hasWayIn(module)
  })
  if (hopeless) throw invalidParameter(`provider: ${hopeless} has no hosted authentication`)
  const spoken = request.providers?.filter((name) => deps.providers.has(name)) ?? null
  if (spoken?.length === 0) {
    throw invalidParameter(`provider: this server does not speak ${request.providers?.join(', ')} yet`)
  }
  const narrowed = { ...request, providers: spoken }
  if (request.credentialId === null) return narrowed
  const { provider } = await findCredential(deps, applicationId, request.credentialId, 'connector')
  if (spoken && !spoken.includes(provider)) {
    throw invalidParameter('credential_id names a credential of another provider')
  }
  return { ...narrowed, providers: [provider] }
}

/** @throws AppError where there is none of that type */
export async function findCredential(
  deps: HostedDeps,
  applicationId: ApplicationId,
  id: string,
  type: CredentialType,
): Promise<CredentialRecord> {
  const found = await deps.database.stores.credentials.find(applicationId, asCredentialId(id))
  if (!found) throw invalidParameter('credential_id names no credential of this application')
  if (found.type !== type) {
    throw invalidParameter(
      `credential_id must name a credential of type ${type}; this one is of type ${found.type}`,
    )
  }
  return found
}

/** @throws AppError for the application: it has no connector the user could take */
export function noConnector({ providers }: Pick<HostedRequest, 'providers'>) {
  return appError(
    'connector.missing',
    providers
      ? `Connector not found for provider ${providers.join(', ')}. Create it with POST /v3/connectors.`
      : 'The application has no connector that its users could take. Create one with POST /v3/connectors.',
  )
}

function hasWayIn(module: ProviderModule): boolean {
  return module.authorization !== undefined || module.credentialForm !== undefined
}
