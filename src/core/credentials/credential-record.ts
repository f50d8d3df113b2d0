import { appError } from '../../contract/errors.ts'
import { credentialId } from '../../contract/ids.ts'
import { CREDENTIAL_TYPES, type CredentialType, type ProviderName } from '../../contract/providers.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { isJsonObject, parseJson, type JsonObject } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'
import type { AdminDeps } from '../applications/audit-write.ts'
import type { CredentialSpec, ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord, CredentialRecord } from '../ports/records.ts'
import type { SealPlace, Vault } from '../ports/vault.ts'
import { canonicalJson } from './canonical-json.ts'

/** What the use-cases of connectors and credentials need. */
export interface ConnectorDeps extends AdminDeps {
  readonly vault: Vault
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
}

/** `credential_data` that was checked against the provider's schema. */
export interface CheckedCredential {
  readonly type: CredentialType
  readonly data: JsonObject
  readonly spec: CredentialSpec
}

/**
 * Checks `credential_type` and `credential_data` against what the provider takes.
 *
 * @throws AppError `api.invalid_request_error`, the message names the field
 */
export function checkCredential(module: ProviderModule, type: string, data: unknown): CheckedCredential {
  const known = CREDENTIAL_TYPES.find((name) => name === type)
  const spec = known && module.connector.credentials[known]
  if (!known || !spec) {
    const taken = CREDENTIAL_TYPES.filter((name) => module.connector.credentials[name])
    throw appError(
      'api.invalid_request_error',
      taken.length > 0
        ? `credential_type must be one of ${taken.join(', ')} for this provider`
        : `${module.displayName} connectors take no credentials`,
    )
  }
  const shape = checkShape(spec.data, data, 'credential_data')
  if (!shape.ok) throw appError('api.invalid_request_error', shape.problem)
  return { type: known, data: isJsonObject(data) ? data : {}, spec }
}

/** Makes a new credential record with its data sealed. */
export function newCredential(
  deps: ConnectorDeps,
  connector: Pick<ConnectorRecord, 'id' | 'applicationId' | 'provider'>,
  name: string,
  checked: CheckedCredential,
): CredentialRecord {
  const now = unixSeconds(deps.clock)
  const blank = {
    id: credentialId(deps.ids.uuid()),
    applicationId: connector.applicationId,
    connectorId: connector.id,
    provider: connector.provider,
    name,
    type: checked.type,
    createdAt: now,
    updatedAt: now,
  }
  return { ...blank, ...sealedFields(deps.vault, blank, checked) }
}

/** Puts new data into a credential record. */
export function withData(
  deps: ConnectorDeps,
  record: CredentialRecord,
  checked: CheckedCredential,
): CredentialRecord {
  return { ...record, ...sealedFields(deps.vault, record, checked), updatedAt: unixSeconds(deps.clock) }
}

/** Opens the data of a credential, to merge a change into it. */
export async function openData(vault: Vault, record: CredentialRecord): Promise<JsonObject> {
  const data = parseJson(await vault.open(placeOf(record), record.sealedData))
  return isJsonObject(data) ? data : {}
}

/** Keyed digest of type and data: the same parameters give the same credential. */
export function digestOf(vault: Vault, checked: Pick<CheckedCredential, 'type' | 'data'>): string {
  return vault.digest('credential', canonicalJson([checked.type, checked.data]))
}

function sealedFields(
  vault: Vault,
  record: Pick<CredentialRecord, 'id' | 'applicationId'>,
  checked: CheckedCredential,
): Pick<CredentialRecord, 'publicData' | 'sealedData' | 'digest'> {
  return {
    publicData: pick(checked.data, checked.spec.publicData),
    sealedData: vault.seal(placeOf(record), JSON.stringify(checked.data)),
    digest: digestOf(vault, checked),
  }
}

function placeOf(record: Pick<CredentialRecord, 'id' | 'applicationId'>): SealPlace {
  return {
    table: 'credentials',
    column: 'sealed_data',
    rowId: record.id,
    applicationId: record.applicationId,
  }
}

/** Keeps the named fields of an object, where they are there. */
export function pick(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]),
  )
}
