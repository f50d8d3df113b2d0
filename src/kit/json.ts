/** A JSON object whose contents have not been looked at. */
export type JsonObject = { readonly [key: string]: unknown }

/** Tells whether a value is a JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads JSON text; `undefined` where it is none. Provider answers are untrusted, so no throw. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON: the caller decides which error that is
  }
}

/** Reads a string field of an untrusted object; absent or of another type gives `undefined`. */
export function stringField(object: JsonObject, name: string): string | undefined {
  const value = object[name]
  return typeof value === 'string' ? value : undefined
}

/** Reads a number field of an untrusted object; numeric text counts, anything else gives `undefined`. */
export function numberField(object: JsonObject, name: string): number | undefined {
  const value = object[name]
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
