import { Type } from 'typebox'
import type { TextListRequest } from '../../core/ports/mail-texts.ts'
import { readLimit } from './page.ts'

export const PageToken = Type.Optional(Type.String({ maxLength: 4096 }))

/** Reads the page of a list that this server keeps: 50 when left out, 200 at most. */
export function readTextPage(query: {
  readonly limit?: number
  readonly page_token?: string
}): TextListRequest {
  return {
    limit: readLimit(query.limit),
    ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
  }
}
