import type { OffsetPage } from '../../core/ports/stores.ts'
import type { Page } from '../../core/ports/mail.ts'
import type { Answer } from '../route.ts'

/** Body of a list of provider objects; `next_cursor` only where there is more. */
export function cursorPage<T>(page: Page<T>): Answer {
  return {
    data: page.items,
    ...(page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor }),
  }
}

/** Body of an admin list. */
export function offsetPage<T>(items: readonly T[], page: OffsetPage): Answer {
  return { data: items, limit: page.limit, offset: page.offset }
}
