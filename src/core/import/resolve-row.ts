import { appError } from '../../contract/errors.ts'
import { type CredentialId, credentialId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import { isEmailAddress } from '../../formats/addresses.ts'
import { stringField } from '../../kit/json.ts'
import { scopeOf } from '../grants/connect-custom.ts'
import { type ConnectInput, readConnectInput, readConnectTarget } from '../grants/connect-input.ts'
import type { RefreshDeps } from '../grants/refresh-flight.ts'
import { seenTokenKey } from '../grants/seen-token-key.ts'
import { emailKeyOf } from '../grants/upsert-grant.ts'
import type { Account } from '../ports/identity.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { SeenTokenKey } from '../ports/stores.ts'
import type { ImportRow } from './read-row.ts'

/** A row with all that is known without looking for its grant. */
export interface Candidate {
  readonly index: number
  readonly line: number
  readonly row: ImportRow
  readonly module: ProviderModule
  readonly connector: ConnectorRecord
  readonly credentialId: CredentialId | null
  readonly scope: readonly string[]
  readonly emailKey: string
  /** null: a placeholder */
  readonly input: ConnectInput | null
  /** of a refresh token */
  readonly token: SeenTokenKey | null
  /** who the settings say it is; null where only the provider can tell, and for placeholders */
  readonly account: Account | null
}

/** Reads connectors and credentials once, however many rows need them. */
export function cachedForBatch(deps: RefreshDeps): RefreshDeps {
  const { database, clients } = deps
  const connectors = new Map<ProviderName, Promise<ConnectorRecord | null>>()
  const opened = new Map<string, ReturnType<typeof clients.open>>()
  const remember = <K, V>(known: Map<K, Promise<V>>, key: K, find: () => Promise<V>): Promise<V> => {
    let found = known.get(key)
    if (!found) {
      found = find()
      known.set(key, found)
    }
    return found
  }
  return {
    ...deps,
    database: {
      ...database,
      stores: {
        ...database.stores,
        connectors: {
          ...database.stores.connectors,
          find: (applicationId, provider) =>
            remember(connectors, provider, () => database.stores.connectors.find(applicationId, provider)),
        },
      },
    },
    clients: {
      ...clients,
      open: (connector, id, type) =>
        remember(opened, `${connector.id} ${id ?? ''} ${type ?? ''}`, () =>
          clients.open(connector, id, type),
        ),
    },
  }
}

/**
 * Finds a row's provider, connector and credential, and has the provider read its settings.
 * @param isLazy  the provider will not be asked: what only a login would find out must be there
 * @throws AppError, the message names the field
 */
export async function resolveRow(
  deps: RefreshDeps,
  caller: Caller,
  place: { readonly index: number; readonly line: number },
  row: ImportRow,
  isLazy: boolean,
): Promise<Candidate> {
  const shared = { ...place, row, emailKey: emailKeyOf(row.email) }
  const settings = row.settings ?? (await settingsOfNothing(deps, caller, row))
  if (settings === null) {
    const { module, connector, client } = await readConnectTarget(
      deps,
      caller,
      row.provider,
      row.credentialId,
    )
    checkAddress(row.email)
    return {
      ...shared,
      module,
      connector,
      credentialId: client && row.credentialId !== undefined ? credentialId(row.credentialId) : null,
      scope: scopeOf({ module, connector }, row.scope),
      input: null,
      token: null,
      account: null,
    }
  }
  const withTenant = row.tenant === undefined ? settings : { ...settings, tenant: row.tenant }
  const input = await readConnectInput(deps, caller, row.provider, withTenant, row.credentialId)
  const { module, material, client } = input
  if (row.tenant !== undefined && stringField(material.publicSettings, 'tenant') === undefined) {
    throw appError('api.invalid_request_error', `tenant is not used by provider ${module.id}`)
  }
  if (material.secret.kind !== 'none') checkAddress(row.email)
  const account = isLazy ? (module.identity.unverified?.(material) ?? null) : null
  const { secret } = material
  const named = secret.kind === 'impersonation' ? secret.emailAddress : account?.email
  if (named !== undefined && emailKeyOf(named) !== shared.emailKey) {
    throw appError('api.invalid_request_error', 'email is not the address of settings')
  }
  return {
    ...shared,
    module,
    connector: input.connector,
    credentialId: input.credentialId,
    scope: scopeOf(input, row.scope),
    input,
    token:
      secret.kind === 'refresh-token' && client
        ? seenTokenKey(
            deps.vault,
            { applicationId: caller.applicationId, provider: module.id, clientId: client.clientId },
            secret.refreshToken,
          )
        : null,
    account,
  }
}

/** A provider whose grants need no secret (virtual calendars) has no placeholders: nothing could be re-authenticated. */
async function settingsOfNothing(deps: RefreshDeps, caller: Caller, row: ImportRow) {
  const { module } = await readConnectTarget(deps, caller, row.provider, row.credentialId)
  const { identity, connector } = module
  if (identity.exchange || connector.isOAuthClient || !identity.unverified) return null
  try {
    const settings = { email: row.email }
    return identity.readSettings(settings).secret.kind === 'none' ? settings : null
  } catch {
    return null // it wants more than an address: a placeholder then
  }
}

function checkAddress(email: string): void {
  if (!isEmailAddress(email)) {
    throw appError('api.invalid_request_error', 'email must be an email address')
  }
}
