import { isJsonObject, type JsonObject, parseJson, numberField, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'

/** Where Graph's next page begins: one option of its own, never an address. */
export interface PagePlace {
  readonly option: '$skip' | '$skiptoken'
  readonly value: string
}

const LONGEST_TOKEN = 4096

/**
 * Takes the place of the next page out of `@odata.nextLink`. The link itself is never followed: the request is
 * built anew, so that the token is sent to no other address.
 *
 * @param base  Graph's base address with `/v1.0`
 * @param collection  last part of the path: `messages`, `mailFolders`, `childFolders`
 * @returns undefined on the last page
 * @throws ProviderError `malformed-response` for a link that leads elsewhere or has no place in it
 */
export function nextPlace(answer: JsonObject, base: string, collection: string): PagePlace | undefined {
  const link = answer['@odata.nextLink']
  if (link === undefined || link === null) return undefined
  const url = typeof link === 'string' ? URL.parse(link) : null
  const own = new URL(base)
  const last = decodeURIComponent(url?.pathname.split('/').at(-1)?.replaceAll('%', '%25') ?? '')
  if (
    url &&
    url.origin === own.origin &&
    url.pathname.startsWith(`${own.pathname}/`) &&
    last.toLowerCase() === collection.toLowerCase()
  ) {
    for (const [name, value] of url.searchParams) {
      const option = name.toLowerCase()
      const isSkip = option === '$skip' && /^\d{1,9}$/.test(value)
      if (isSkip) return { option: '$skip', value }
      if (option === '$skiptoken' && value !== '' && value.length <= LONGEST_TOKEN) {
        return { option: '$skiptoken', value }
      }
    }
  }
  throw new ProviderError('malformed-response', 'Microsoft’s link to the next page cannot be used.', {
    answered: true,
  })
}

/** Where a list goes on. Core signs it together with the filters, so it is ours when it comes back. */
export interface GraphCursor {
  /** Unix seconds: what comes was received in that second or before. */
  readonly upTo?: number
  /** Marks of messages of that second that were looked at. */
  readonly seen?: readonly string[]
  /** absent on the first page, and where the list goes on by time */
  readonly place?: PagePlace
  /** How many of that page's items were looked at. */
  readonly offset: number
  /** `$top` of that page. */
  readonly pageSize: number
  /** The last item looked at: found again even where new mail moved it. */
  readonly after?: string
}

/** Writes a cursor as text. */
export function writeCursor({ upTo, seen, place, offset, pageSize, after }: GraphCursor): string {
  const short = {
    t: upTo,
    m: seen,
    p: place?.value,
    s: place?.option === '$skip',
    o: offset,
    n: pageSize,
    a: after,
  }
  return Buffer.from(JSON.stringify(short)).toString('base64url')
}

/** Reads a cursor. @throws ProviderError `invalid-request` for anything that writeCursor did not write */
export function readCursor(text: string): GraphCursor {
  const value = parseJson(Buffer.from(text, 'base64url').toString('utf8'))
  if (isJsonObject(value)) {
    const offset = numberField(value, 'o')
    const pageSize = numberField(value, 'n')
    const token = stringField(value, 'p')
    const after = stringField(value, 'a')
    const upTo = numberField(value, 't')
    const seen = Array.isArray(value['m']) ? value['m'].filter((mark) => typeof mark === 'string') : undefined
    if (offset !== undefined && offset >= 0 && pageSize !== undefined && pageSize > 0) {
      return {
        offset,
        pageSize,
        ...(upTo === undefined ? {} : { upTo }),
        ...(seen === undefined ? {} : { seen }),
        ...(token === undefined
          ? {}
          : { place: { option: value['s'] === true ? '$skip' : '$skiptoken', value: token } }),
        ...(after === undefined ? {} : { after }),
      }
    }
  }
  throw new ProviderError('invalid-request', 'page_token is not valid.')
}
