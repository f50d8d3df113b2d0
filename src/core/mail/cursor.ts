import { appError } from '../../contract/errors.ts'
import { parseJson } from '../../kit/json.ts'
import type { Vault } from '../ports/vault.ts'

/** What a cursor belongs to: it opens nowhere else. */
export interface CursorScope {
  readonly grantId: string
  readonly route: string
  /** the query without its page token and limit */
  readonly filter: unknown
}

const VERSION = 'c1'
const MAC_HEX_CHARS = 32

/** Wraps a provider's page token for the client: opaque, URL-safe, tied to grant, route and filter. */
export function encodeCursor(vault: Vault, scope: CursorScope, providerCursor: string): string {
  const body = Buffer.from(JSON.stringify(providerCursor)).toString('base64url')
  return `${VERSION}.${body}.${macOf(vault, scope, body)}`
}

/**
 * Opens a `page_token`.
 * @throws AppError `api.invalid_request_error` when it is not one of this grant, route and filter
 */
export function decodeCursor(vault: Vault, scope: CursorScope, pageToken: string): string {
  const [version, body, mac, ...rest] = pageToken.split('.')
  if (version === VERSION && body !== undefined && rest.length === 0 && mac === macOf(vault, scope, body)) {
    const cursor = parseJson(Buffer.from(body, 'base64url').toString('utf8'))
    if (typeof cursor === 'string') return cursor
  }
  throw appError('api.invalid_request_error', 'page_token is not a next_cursor of this list.')
}

function macOf(vault: Vault, scope: CursorScope, body: string): string {
  const bound = JSON.stringify([VERSION, scope.grantId, scope.route, sorted(scope.filter), body])
  return vault.digest('cursor', bound).slice(0, MAC_HEX_CHARS)
}

/** The same filter gives the same text whatever the order of its fields. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
