import { isJsonObject } from '../../kit/json.ts'

/** Reads `select=a,b`; undefined where nothing is asked for. */
export function readSelect(value: string | undefined): readonly string[] | undefined {
  const names = (value ?? '').split(',').map((name) => name.trim())
  const given = names.filter((name) => name !== '')
  return given.length > 0 ? given : undefined
}

/** Keeps the named top-level fields of `data`, or of each of its elements; unknown names match nothing. */
export function applySelect(data: unknown, names: readonly string[]): unknown {
  if (Array.isArray(data)) return data.map((item: unknown) => applySelect(item, names))
  if (!isJsonObject(data)) return data
  return Object.fromEntries(Object.entries(data).filter(([name]) => names.includes(name)))
}
