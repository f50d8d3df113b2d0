import { appError } from '../../contract/errors.ts'
import type { CredentialId } from '../../contract/ids.ts'
import { stringField } from '../../kit/json.ts'
import {
  checkCredential,
  digestOf,
  newCredential,
  openData,
  withData,
  type ConnectorDeps,
} from '../credentials/credential-record.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord, CredentialRecord } from '../ports/records.ts'
import type { Stores } from '../ports/stores.ts'
import type { ConnectorSettings } from './connector-settings.ts'

type OAuthClient = NonNullable<ConnectorSettings['client']>

/** Makes the primary credential of a new connector. */
export function primaryCredential(
  deps: ConnectorDeps,
  connector: Pick<ConnectorRecord, 'id' | 'applicationId' | 'provider'>,
  module: ProviderModule,
  client: OAuthClient,
): CredentialRecord {
  const name = `${module.displayName} client ${client.client_id}`.slice(0, 256)
  return newCredential(deps, connector, name, checkCredential(module, 'connector', { ...client }))
}

/** Opens the client of the connector's active credential; null where it has none. */
export async function activeClient(
  deps: ConnectorDeps,
  stores: Stores,
  connector: ConnectorRecord,
): Promise<{ readonly record: CredentialRecord; readonly client: OAuthClient } | null> {
  if (connector.activeCredentialId === null) return null
  const record = await stores.credentials.find(connector.applicationId, connector.activeCredentialId)
  if (!record) return null
  const data = await openData(deps.vault, record)
  return {
    record,
    client: {
      client_id: stringField(data, 'client_id') ?? '',
      client_secret: stringField(data, 'client_secret') ?? '',
    },
  }
}

/**
 * Gives a connector another OAuth client.
 *
 * A new secret of the same client goes into the active credential, so every grant uses it from the next
 * refresh on. Another client id is another client: refresh tokens of the old one would be refused under it,
 * so grants that still use the old credential keep it and a new credential becomes the active one.
 *
 * @returns the id of the credential that is active afterwards
 */
export async function changeClient(
  deps: ConnectorDeps,
  stores: Stores,
  connector: ConnectorRecord,
  module: ProviderModule,
  change: { readonly client: OAuthClient; readonly active: CredentialRecord | null },
): Promise<CredentialId> {
  const { client, active } = change
  const kept = active ? await openData(deps.vault, active) : {}
  const sameClient = active !== null && stringField(kept, 'client_id') === client.client_id
  if (active && (sameClient || !(await isInUse(stores, active)))) {
    const checked = checkCredential(module, 'connector', { ...kept, ...client })
    if (!(await stores.credentials.update(withData(deps, active, checked)))) {
      throw appError('api.invalid_request_error', 'The credential was changed meanwhile; try again.')
    }
    return active.id
  }
  const digest = digestOf(deps.vault, { type: 'connector', data: { ...client } })
  const known = await stores.credentials.findByDigest(connector.id, digest)
  if (known) return known.id
  const record = primaryCredential(deps, connector, module, client)
  if (await stores.credentials.insert(record)) return record.id
  const renamed = { ...record, name: `${record.name.slice(0, 200)} (${record.id})` }
  if (await stores.credentials.insert(renamed)) return record.id
  throw appError('api.invalid_request_error', 'The credential could not be added; try again.')
}

async function isInUse(stores: Stores, credential: CredentialRecord): Promise<boolean> {
  return (await stores.grants.listValidOf({ credentialId: credential.id }, null, 1)).length > 0
}
