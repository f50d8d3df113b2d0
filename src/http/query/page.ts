import { Type } from 'typebox'
import type { OffsetPage } from '../../core/ports/stores.ts'

const MAX_LIMIT = 200

/** `limit` of any list: a number under 1 is refused, one over 200 is clamped (contract/email.md 2). */
export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, description: 'How many at most; more than 200 counts as 200' }),
)

/** `offset` of an admin list. */
export const Offset = Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 }))

/** Unix seconds in a query. */
export const Seconds = Type.Optional(Type.Integer({ minimum: 0, maximum: 253_402_300_799 }))

/** `select` of any GET. */
export const Select = Type.Optional(
  Type.String({ maxLength: 1024, description: 'Comma list of top-level fields to answer' }),
)

/** Reads `limit` of a provider list: 50 when left out, 200 at most. */
export function readLimit(limit: number | undefined, otherwise = 50, most = MAX_LIMIT): number {
  return Math.min(limit ?? otherwise, most)
}

/** Reads the page of an admin list: 10 from the start when left out. */
export function readOffsetPage(query: { limit?: number; offset?: number }): OffsetPage {
  return { limit: readLimit(query.limit, 10), offset: query.offset ?? 0 }
}
