import type { Credential } from '../../contract/connector.ts'
import { appError } from '../../contract/errors.ts'
import { credentialId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { auditWrite } from '../applications/audit-write.ts'
import { findConnector, moduleOf } from '../connectors/find-connector.ts'
import { invalidateGrantsOf } from '../connectors/invalidate-grants.ts'
import type { ConnectorRecord, CredentialRecord } from '../ports/records.ts'
import type { Caller, CredentialService } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import {
  checkCredential,
  digestOf,
  newCredential,
  withData,
  type ConnectorDeps,
} from './credential-record.ts'

export const CREDENTIAL_DELETED = {
  code: 'credential_deleted',
  message: 'The credential this grant was made with was deleted.',
  advice: 'Authenticate the account once more with POST /v3/connect/custom, with a credential that exists.',
}

/** Makes the credential use-cases (contract/auth.md 5.2). Credential data never comes out again. */
export function createCredentialService(deps: ConnectorDeps): CredentialService {
  const { database, vault, providers } = deps
  return {
    async create(caller, provider, body) {
      return database.transaction(async (stores) => {
        const connector = await findConnector(stores, caller, provider)
        const module = moduleOf(providers, connector.provider)
        const checked = checkCredential(module, body.credential_type, body.credential_data)
        const same = () => stores.credentials.findByDigest(connector.id, digestOf(vault, checked))
        const known = await same()
        if (known) return presentCredential(known)
        const record = newCredential(deps, connector, body.name, checked)
        if (!(await stores.credentials.insert(record))) {
          // Two equal requests at once: the other one may have won with this very credential.
          const won = await same()
          if (won) return presentCredential(won)
          throw nameTaken()
        }
        await auditWrite(stores, deps, caller, 'credential.created', target(record), { type: record.type })
        return presentCredential(record)
      })
    },

    async list(caller, provider, page) {
      const connector = await findConnector(database.stores, caller, provider)
      return (await database.stores.credentials.list(connector.id, page)).map(presentCredential)
    },

    async find(caller, provider, id) {
      return presentCredential((await findOrThrow(database.stores, caller, provider, id)).credential)
    },

    async update(caller, provider, id, body) {
      return database.transaction(async (stores) => {
        const { connector, credential } = await findOrThrow(stores, caller, provider, id)
        const named: CredentialRecord = {
          ...credential,
          name: body.name ?? credential.name,
          updatedAt: unixSeconds(deps.clock),
        }
        const record = body.credential_data
          ? withData(
              deps,
              named,
              checkCredential(moduleOf(providers, connector.provider), credential.type, body.credential_data),
            )
          : named
        if (!(await stores.credentials.update(record))) throw nameTaken()
        // The alarm was about what has just been replaced; the next refusal raises it again.
        if (body.credential_data && connector.alarm) {
          await stores.connectors.setAlarm(caller.applicationId, connector.provider, null)
        }
        await auditWrite(stores, deps, caller, 'credential.updated', target(record), {
          fields: Object.keys(body),
        })
        return presentCredential(record)
      })
    },

    async delete(caller, provider, id) {
      const { credential } = await findOrThrow(database.stores, caller, provider, id)
      await refuseActive(database.stores, caller, provider, credential)
      let grants = 0
      for (;;) {
        grants += await invalidateGrantsOf(deps, { credentialId: credential.id }, CREDENTIAL_DELETED)
        const deleted = await database.transaction(async (stores) => {
          await refuseActive(stores, caller, provider, credential)
          // A grant may have been bound to it since the sweep.
          const left = await stores.grants.listValidOf({ credentialId: credential.id }, null, 1)
          if (left.length > 0) return false
          if (!(await stores.credentials.delete(caller.applicationId, credential.id))) throw notFound()
          await auditWrite(stores, deps, caller, 'credential.deleted', target(credential), { grants })
          return true
        })
        if (deleted) return
      }
    },
  }
}

function presentCredential(record: CredentialRecord): Credential {
  return {
    id: record.id,
    name: record.name,
    credential_type: record.type,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

async function findOrThrow(
  stores: Stores,
  caller: Caller,
  provider: string,
  id: string,
): Promise<{ readonly connector: ConnectorRecord; readonly credential: CredentialRecord }> {
  const connector = await findConnector(stores, caller, provider)
  const credential = await stores.credentials.find(caller.applicationId, credentialId(id))
  if (!credential || credential.connectorId !== connector.id) throw notFound()
  return { connector, credential }
}

async function refuseActive(
  stores: Stores,
  caller: Caller,
  provider: string,
  credential: CredentialRecord,
): Promise<void> {
  const connector = await findConnector(stores, caller, provider)
  if (connector.activeCredentialId !== credential.id) return
  throw appError(
    'api.invalid_request_error',
    'The active credential of a connector cannot be deleted; make another one active first.',
  )
}

function target(record: CredentialRecord): string {
  return `credential:${record.id}`
}

function notFound() {
  return appError('credential.not_found')
}

function nameTaken() {
  return appError('api.invalid_request_error', 'name is taken by another credential of this connector')
}
