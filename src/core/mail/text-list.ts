import type { Page } from '../ports/mail.ts'
import type { TextListRequest } from '../ports/mail-texts.ts'
import type { Numbered, TextPage } from '../ports/mail-stores-texts.ts'
import type { Vault } from '../ports/vault.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'

/**
 * Reads a page of a list that this server keeps, newest first.
 * @param scope  whose list: a `page_token` opens nowhere else
 * @throws AppError 400 for a token of another list
 */
export async function textPage<T>(
  vault: Vault,
  scope: { readonly owner: string; readonly route: string },
  { limit, pageToken }: TextListRequest,
  read: (page: TextPage) => Promise<readonly Numbered<T>[]>,
): Promise<Page<T>> {
  const cursorScope = { grantId: scope.owner, route: scope.route, filter: {} }
  const before =
    pageToken === undefined ? {} : { beforeSeq: Number(decodeCursor(vault, cursorScope, pageToken)) }
  // One more than asked for tells whether there is a next page.
  const found = await read({ limit: limit + 1, ...before })
  const items = found.slice(0, limit)
  const last = items.at(-1)
  if (found.length <= limit || !last) return { items }
  return { items, nextCursor: encodeCursor(vault, cursorScope, String(last.seq)) }
}
