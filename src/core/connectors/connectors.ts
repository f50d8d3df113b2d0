import type { ConnectorUpdateBody } from '../../contract/connector.ts'
import { appError } from '../../contract/errors.ts'
import { connectorId, credentialId, type CredentialId } from '../../contract/ids.ts'
import { isProviderName, PROVIDER_NAMES } from '../../contract/providers.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { auditWrite } from '../applications/audit-write.ts'
import type { ConnectorDeps } from '../credentials/credential-record.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord } from '../ports/records.ts'
import type { ConnectorService } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import { activeClient, changeClient, primaryCredential } from './change-client.ts'
import { checkSettings, normalizeScopes, presentConnector } from './connector-settings.ts'
import { findConnector, moduleOf } from './find-connector.ts'
import { invalidateGrantsOf } from './invalidate-grants.ts'

export const CONNECTOR_DELETED = {
  code: 'connector_deleted',
  message: 'The connector of this grant was deleted.',
  advice: 'Create the connector again, then authenticate the account once more with POST /v3/connect/custom.',
}

/** Makes the connector use-cases (contract/auth.md 5.1). One connector per provider and application. */
export function createConnectorService(deps: ConnectorDeps): ConnectorService {
  const { database, clock, ids, providers } = deps
  const present = (record: ConnectorRecord) => presentConnector(record, providers.get(record.provider))

  return {
    async create(caller, body) {
      if (!isProviderName(body.provider)) {
        throw appError('api.invalid_request_error', `provider must be one of ${PROVIDER_NAMES.join(', ')}`)
      }
      const module = moduleOf(providers, body.provider)
      const { shown, client } = checkSettings(module, body.settings ?? {})
      const now = unixSeconds(clock)
      const blank = {
        id: connectorId(ids.uuid()),
        applicationId: caller.applicationId,
        provider: body.provider,
        name: body.name ?? `${module.displayName} Connector`,
        settings: shown,
        scope: normalizeScopes(module, body.scope ?? []),
        createdAt: now,
        updatedAt: now,
      }
      const primary = client && primaryCredential(deps, blank, module, client)
      const record: ConnectorRecord = { ...blank, activeCredentialId: primary?.id ?? null, alarm: null }
      await database.transaction(async (stores) => {
        if (!(await stores.connectors.insert(record))) throw appError('connector.already_exists')
        if (primary) await stores.credentials.insert(primary)
        await auditWrite(stores, deps, caller, 'connector.created', `connector:${record.provider}`)
      })
      return present(record)
    },

    async list(caller, page) {
      return (await database.stores.connectors.list(caller.applicationId, page)).map(present)
    },

    async find(caller, provider) {
      return present(await findConnector(database.stores, caller, provider))
    },

    async update(caller, provider, body) {
      const updated = await database.transaction(async (stores) => {
        const before = await findConnector(stores, caller, provider)
        const module = moduleOf(providers, before.provider)
        const after = await applyUpdate(deps, stores, before, module, body)
        await stores.connectors.update(after)
        await auditWrite(stores, deps, caller, 'connector.updated', `connector:${before.provider}`, {
          fields: [
            ...Object.keys(body),
            ...Object.keys(body.settings ?? {}).map((name) => `settings.${name}`),
          ],
        })
        return after
      })
      return present(updated)
    },

    async delete(caller, provider) {
      const connector = await findConnector(database.stores, caller, provider)
      let grants = 0
      for (;;) {
        grants += await invalidateGrantsOf(deps, { connectorId: connector.id }, CONNECTOR_DELETED)
        const deleted = await database.transaction(async (stores) => {
          // A grant may have been made since the sweep: it must not outlive the connector as a valid one.
          const left = await stores.grants.listValidOf({ connectorId: connector.id }, null, 1)
          if (left.length > 0) return false
          if (!(await stores.connectors.delete(caller.applicationId, connector.provider))) {
            throw appError('connector.not_found')
          }
          await auditWrite(stores, deps, caller, 'connector.deleted', `connector:${connector.provider}`, {
            grants,
          })
          return true
        })
        if (deleted) return
      }
    },
  }
}

async function applyUpdate(
  deps: ConnectorDeps,
  stores: Stores,
  before: ConnectorRecord,
  module: ProviderModule,
  body: ConnectorUpdateBody,
): Promise<ConnectorRecord> {
  const chosen = await chooseActive(stores, before, body.active_credential_id)
  const base: ConnectorRecord = {
    ...before,
    name: body.name ?? before.name,
    scope: body.scope ? normalizeScopes(module, body.scope) : before.scope,
    activeCredentialId: chosen,
    alarm: null,
    updatedAt: unixSeconds(deps.clock),
  }
  if (!body.settings) return base

  const active = await activeClient(deps, stores, before)
  const merged = { ...before.settings, ...active?.client, ...body.settings }
  const { shown, client } = checkSettings(module, merged)
  const isChanged =
    client !== null &&
    (client.client_id !== active?.client.client_id || client.client_secret !== active.client.client_secret)
  if (!isChanged) return { ...base, settings: shown }
  if (chosen !== before.activeCredentialId) {
    throw appError(
      'api.invalid_request_error',
      'settings.client_id and settings.client_secret belong to the active credential; change active_credential_id in another request',
    )
  }
  if (
    active &&
    client.client_id !== active.client.client_id &&
    body.settings['client_secret'] === undefined
  ) {
    throw appError('api.invalid_request_error', 'settings.client_secret is required with another client_id')
  }
  const activeCredentialId = await changeClient(deps, stores, before, module, {
    client,
    active: active?.record ?? null,
  })
  return { ...base, settings: shown, activeCredentialId }
}

async function chooseActive(
  stores: Stores,
  before: ConnectorRecord,
  given: string | undefined,
): Promise<CredentialId | null> {
  if (given === undefined || given === before.activeCredentialId) return before.activeCredentialId
  const credential = await stores.credentials.find(before.applicationId, credentialId(given))
  if (!credential || credential.connectorId !== before.id || credential.type !== 'connector') {
    throw appError(
      'api.invalid_request_error',
      'active_credential_id must be a credential of type connector on this connector',
    )
  }
  return credential.id
}
