import { isJsonObject } from '../../kit/json.ts'
import { Secret } from '../../kit/secret.ts'
import type { SealPlace, Vault } from '../ports/vault.ts'

/** How a `Secret` stands in sealed JSON. */
const MARK = '$secret'

/** Seals a value as JSON; `Secret`s inside it are opened into the sealed text and come back as `Secret`s. */
export function sealJson(vault: Vault, place: SealPlace, value: unknown): string {
  return vault.seal(place, JSON.stringify(opened(value)))
}

/**
 * Opens what `sealJson` sealed. The type is the caller's word: the seal proves that the value is the one that
 * was sealed at that place.
 */
export async function openJson<T>(vault: Vault, place: SealPlace, sealed: string): Promise<T> {
  return closed(JSON.parse(await vault.open(place, sealed))) as T
}

function opened(value: unknown): unknown {
  if (value instanceof Secret) return { [MARK]: value.open() }
  if (Array.isArray(value)) return value.map(opened)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, opened(field)]))
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (!isJsonObject(value)) return value
  const secret = value[MARK]
  if (typeof secret === 'string') return new Secret(secret)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, closed(field)]))
}
