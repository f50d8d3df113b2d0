import { isJsonObject, type JsonObject } from '../kit/json.ts'

/*
 * What a column holds when SQL has no type for it that both engines share. Only the server writes these
 * columns, so text that can't be read is a fault of ours: it throws.
 */

/** Reads a JSON object from its column. */
export function readObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new Error('a JSON column does not hold an object')
  return value
}

/** Reads a list of strings from its column. */
export function readStrings(text: string): readonly string[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value)) throw new Error('a JSON column does not hold a list')
  return value.filter((item) => typeof item === 'string')
}

/** Writes an object or a list into its column. */
export function writeJson(value: object): string {
  return JSON.stringify(value)
}

export const readBoolean = (value: number): boolean => value !== 0
export const writeBoolean = (value: boolean): number => (value ? 1 : 0)

/** Rounds up and keeps within what a bigint column and a JavaScript number both hold exactly. */
export function wholeNumber(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(value)))
}
