import type { RawQuery } from './coerce-query.ts'

/**
 * Reads a query string: `+` and `%20` are both a space, a repeated name gives all its values in order.
 * Broken percent-encoding stays as it is written. (`URLSearchParams` reads exactly so.)
 */
export function parseQueryString(text: string): RawQuery {
  const query: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (const [name, value] of new URLSearchParams(text)) (query[name] ??= []).push(value)
  return query
}
