import type { FolderQuery } from '../../core/ports/mail.ts'
import { type JsonObject, numberField, stringField } from '../../kit/json.ts'
import type { GraphApi } from './api.ts'
import { nextPlace, type PagePlace } from './next-link.ts'
import { itemsOf } from './read-messages.ts'

const PAGE_SIZE = 100
/** More folders than this are not read; Exchange Online allows 10,000 in one folder (checked 2026-11). */
const FOLDER_CAP = 10_000
const DEPTH_CAP = 50

/**
 * Reads the folders of a mailbox, or those under a parent: the whole tree flattened, each folder before its
 * children, or one level only. Folders of one level are read side by side, inside the mailbox's slots.
 */
export async function readFolderTree(
  api: GraphApi,
  base: string,
  query: Pick<FolderQuery, 'parentId' | 'singleLevel' | 'includeHiddenFolders'>,
): Promise<readonly JsonObject[]> {
  const seen = new Set<string>()

  const readLevel = async (parent: string | undefined): Promise<readonly JsonObject[]> => {
    const collection = parent === undefined ? 'mailFolders' : 'childFolders'
    const path =
      parent === undefined
        ? `${api.root}/mailFolders`
        : `${api.root}/mailFolders/${encodeURIComponent(parent)}/childFolders`
    const found: JsonObject[] = []
    let place: PagePlace | undefined
    while (seen.size < FOLDER_CAP) {
      const answer = await api.getJson(path, [
        ['$top', String(PAGE_SIZE)],
        ...(query.includeHiddenFolders ? [['includeHiddenFolders', 'true'] as const] : []),
        ...(place ? [[place.option, place.value] as const] : []),
      ])
      for (const folder of itemsOf(answer)) {
        const id = stringField(folder, 'id')
        if (!id || seen.has(id)) continue
        seen.add(id)
        found.push(folder)
      }
      const next = nextPlace(answer, base, collection)
      if (!next || next.value === place?.value) break
      place = next
    }
    return found
  }
  const readBelow = async (parent: string | undefined, depth: number): Promise<readonly JsonObject[]> => {
    const level = await readLevel(parent)
    if (query.singleLevel || depth >= DEPTH_CAP) return level
    const branches = await Promise.all(
      level.map(async (folder) => {
        const id = stringField(folder, 'id')
        const hasChildren = (numberField(folder, 'childFolderCount') ?? 0) > 0
        return id && hasChildren ? [folder, ...(await readBelow(id, depth + 1))] : [folder]
      }),
    )
    return branches.flat()
  }
  return readBelow(query.parentId, 0)
}
