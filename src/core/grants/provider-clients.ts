import { appError } from '../../contract/errors.ts'
import { credentialId, type CredentialId } from '../../contract/ids.ts'
import type { CredentialType } from '../../contract/providers.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { Secret } from '../../kit/secret.ts'
import type { ProviderClient } from '../ports/identity.ts'
import type { ConnectorRecord, CredentialRecord } from '../ports/records.ts'
import type { Database } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'

/** Finds the client a provider is asked as. */
export interface ProviderClients {
  /**
   * Opens the credential a grant uses: the named one, else the connector's active one.
   * @returns null where the connector has none (imap, icloud, virtual-calendar)
   * @throws AppError 400 for a credential that is unknown, of another connector, or of another type
   */
  open(
    connector: ConnectorRecord,
    id: string | null | undefined,
    type: CredentialType | undefined,
  ): Promise<ProviderClient | null>
}

/** The client in the tenant that a grant's own settings name; without one, in the credential's or the connector's. */
export function inTenantOf(client: ProviderClient, settings: JsonObject): ProviderClient {
  const tenant = stringField(settings, 'tenant')
  return tenant === undefined ? client : { ...client, tenant }
}

export function createProviderClients(deps: {
  readonly database: Database
  readonly vault: Vault
}): ProviderClients {
  const find = async (connector: ConnectorRecord, id: CredentialId): Promise<CredentialRecord> => {
    const found = await deps.database.stores.credentials.find(connector.applicationId, id)
    if (found && found.connectorId === connector.id) return found
    throw appError(
      'api.invalid_request_error',
      `credential_id names no credential of the ${connector.provider} connector.`,
    )
  }
  const dataOf = async (credential: CredentialRecord): Promise<{ readonly [name: string]: string }> => {
    const place = {
      table: 'credentials',
      column: 'sealed_data',
      rowId: credential.id,
      applicationId: credential.applicationId,
    }
    const parsed: unknown = JSON.parse(await deps.vault.open(place, credential.sealedData))
    return Object.fromEntries(
      Object.entries(parsed ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  }
  return {
    async open(connector, id, type) {
      const chosen = id ? credentialId(id) : connector.activeCredentialId
      if (chosen === null || chosen === undefined) {
        if (type === undefined) return null
        throw appError('api.invalid_request_error', `settings.credential_id is required.`)
      }
      const credential = await find(connector, chosen)
      if (type !== undefined && credential.type !== type) {
        throw appError(
          'api.invalid_request_error',
          `credential_id must name a credential of type ${type}; this one is of type ${credential.type}.`,
        )
      }
      const own = await dataOf(credential)
      // Admin consent may leave out client id and secret: the connector's own are meant (contract/auth.md 5.2).
      const inherited =
        credential.type === 'adminconsent' && connector.activeCredentialId
          ? await dataOf(await find(connector, connector.activeCredentialId))
          : {}
      const data: { readonly [name: string]: string } = { ...inherited, ...own }
      const tenant = data['tenant'] ?? stringField(connector.settings, 'tenant')
      return {
        credentialType: credential.type,
        clientId: data['client_id'] ?? data['client_email'] ?? '',
        clientSecret: new Secret(data['client_secret'] ?? ''),
        ...(tenant ? { tenant } : {}),
        data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, new Secret(value)])),
      }
    },
  }
}
