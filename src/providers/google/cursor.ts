import { isJsonObject, numberField, parseJson, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'

/** Where a list goes on. Core signs it together with the filters, so it is ours when it comes back. */
export interface GmailCursor {
  /** Gmail's page token; absent on the first page */
  readonly pageToken?: string
  /** How many of that page's messages were looked at */
  readonly offset: number
  /** `maxResults` of that page: the token is for pages of this size */
  readonly pageSize: number
  /** The last message looked at: found again even where new mail moved it */
  readonly after?: string
  /** Those looked at before it, the last of them last; some may leave before the next page is asked for */
  readonly before?: readonly string[]
}

/** How many ids a cursor remembers before the last one: more would make it long. */
export const TRAIL = 8

/** Writes a cursor as text. */
export function writeCursor(cursor: GmailCursor): string {
  const { pageToken, offset, pageSize, after, before } = cursor
  return Buffer.from(
    JSON.stringify({
      p: pageToken,
      o: offset,
      n: pageSize,
      a: after,
      b: before?.length ? before : undefined,
    }),
  ).toString('base64url')
}

/** Reads a cursor. @throws ProviderError `invalid-request` for anything that writeCursor did not write */
export function readCursor(text: string): GmailCursor {
  const value = parseJson(Buffer.from(text, 'base64url').toString('utf8'))
  if (isJsonObject(value)) {
    const offset = numberField(value, 'o')
    const pageSize = numberField(value, 'n')
    const pageToken = stringField(value, 'p')
    const after = stringField(value, 'a')
    const before = Array.isArray(value['b']) ? value['b'].filter((id) => typeof id === 'string') : []
    if (offset !== undefined && offset >= 0 && pageSize !== undefined && pageSize > 0) {
      return {
        offset,
        pageSize,
        ...(pageToken === undefined ? {} : { pageToken }),
        ...(after === undefined ? {} : { after }),
        ...(before.length === 0 ? {} : { before: before.slice(-TRAIL) }),
      }
    }
  }
  throw new ProviderError('invalid-request', 'page_token is not valid.')
}
