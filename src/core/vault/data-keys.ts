import { randomBytes } from 'node:crypto'
import { decryptAead, encryptAead } from '../../kit/aead.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { DataKeyRecord, StoredDataKey } from '../ports/records.ts'
import type { Database } from '../ports/stores.ts'

/** A key of the operator: wraps data keys, never data. */
export interface OperatorKey {
  readonly id: string
  /** 32 bytes */
  readonly key: Buffer
}

/** The data keys of a database, unwrapped. */
export interface DataKeys {
  /** The key new values are sealed under. */
  readonly current: { readonly id: string; readonly key: Buffer }
  /** Every seal key by id. */
  readonly sealKeys: ReadonlyMap<string, Buffer>
  /** Makes digests; stays the same for the life of the database. */
  readonly lookupKey: Buffer
}

/** The operator's key is missing or wrong. Nothing has been written. */
export class EncryptionKeyError extends Error {}

/**
 * Loads the data keys, or makes the first ones. Unwrapping is the key check: a wrong operator key is refused
 * here, before anything is written.
 *
 * @param operatorKeys  the first wraps new data keys, all of them open
 * @throws EncryptionKeyError
 */
export async function loadDataKeys(deps: {
  readonly database: Database
  readonly operatorKeys: readonly OperatorKey[]
  readonly clock: Clock
  readonly ids: Ids
}): Promise<DataKeys> {
  const stored = await deps.database.stores.dataKeys.list()
  if (stored.length > 0) return unwrapAll(stored, deps.operatorKeys)
  await createFirstKeys(deps)
  return unwrapAll(await deps.database.stores.dataKeys.list(), deps.operatorKeys)
}

async function createFirstKeys(deps: Parameters<typeof loadDataKeys>[0]): Promise<void> {
  const [wrapping] = deps.operatorKeys
  if (!wrapping) throw new EncryptionKeyError('No encryption key is configured.')
  await deps.database.transaction(async ({ dataKeys }) => {
    // The lookup key is unique: of two processes that start at once, one makes both keys.
    if (!(await dataKeys.insert(newKey('lookup', 0, wrapping, deps)))) return
    await dataKeys.insert(newKey('seal', 1, wrapping, deps))
  })
}

/** Makes a data key, wrapped. */
export function newKey(
  purpose: DataKeyRecord['purpose'],
  generation: number,
  wrapping: OperatorKey,
  deps: { readonly clock: Clock; readonly ids: Ids },
): DataKeyRecord {
  const id = deps.ids.token(6)
  return {
    id,
    purpose,
    ...wrap({ id, purpose }, randomBytes(32), wrapping),
    createdAtMs: deps.clock.nowMs(),
    generation,
  }
}

/** Wraps a data key under a key of the operator's. */
export function wrap(
  { id, purpose }: Pick<DataKeyRecord, 'id' | 'purpose'>,
  key: Buffer,
  wrapping: OperatorKey,
): Pick<DataKeyRecord, 'wrappedBy' | 'wrapped'> {
  return {
    wrappedBy: wrapping.id,
    wrapped: encryptAead(wrapping.key, key, wrapAad(id, purpose)).toString('base64url'),
  }
}

/** @throws EncryptionKeyError */
export function unwrapAll(stored: readonly StoredDataKey[], operatorKeys: readonly OperatorKey[]): DataKeys {
  const sealKeys = new Map<string, Buffer>()
  let current: { id: string; key: Buffer } | undefined
  let lookupKey: Buffer | undefined
  for (const record of [...stored].sort((a, b) => a.generation - b.generation)) {
    const key = unwrap(record, operatorKeys)
    if (record.purpose === 'lookup') lookupKey = key
    else {
      sealKeys.set(record.id, key)
      current = { id: record.id, key }
    }
  }
  if (!current || !lookupKey) throw new EncryptionKeyError('The database lacks one of its data keys.')
  return { current, sealKeys, lookupKey }
}

/** @throws EncryptionKeyError */
export function unwrap(record: DataKeyRecord, operatorKeys: readonly OperatorKey[]): Buffer {
  const wrapping = operatorKeys.find((key) => key.id === record.wrappedBy)
  if (!wrapping) {
    throw new EncryptionKeyError(
      `The database was sealed under the encryption key "${record.wrappedBy}", which is not among the configured ones ` +
        `(${operatorKeys.map((key) => key.id).join(', ')}). Add it to GRANTWAY_ENCRYPTION_KEYS; nothing was changed.`,
    )
  }
  try {
    return decryptAead(
      wrapping.key,
      Buffer.from(record.wrapped, 'base64url'),
      wrapAad(record.id, record.purpose),
    )
  } catch {
    throw new EncryptionKeyError(
      `The encryption key "${record.wrappedBy}" is not the one this database was sealed under. ` +
        'Check GRANTWAY_ENCRYPTION_KEYS; nothing was changed.',
    )
  }
}

function wrapAad(id: string, purpose: string): string {
  return JSON.stringify(['data_keys', id, purpose])
}
