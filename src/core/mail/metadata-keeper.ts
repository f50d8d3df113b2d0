import { appError } from '../../contract/errors.ts'
import type { MetadataKeeper } from '../ports/mail-services.ts'
import type { Database } from '../ports/stores.ts'

const MAX_PAIRS = 50
const MAX_CHARS = 500
/** Only these can be looked for (contract/email.md 2). */
const INDEXED_KEYS = ['key1', 'key2', 'key3', 'key4', 'key5'] as const

/** Keeps metadata of messages and drafts in this server's database: no provider has a place for it. */
export function createMetadataKeeper({ database }: { readonly database: Database }): MetadataKeeper {
  const { metadata: stored } = database.stores
  return {
    check(metadata) {
      const pairs = Object.entries(metadata)
      if (pairs.length > MAX_PAIRS) throw invalid(`metadata takes at most ${MAX_PAIRS} pairs`)
      for (const [key, value] of pairs) {
        if (isLong(key)) throw invalid(`a key of metadata has at most ${MAX_CHARS} characters`)
        if (typeof value !== 'string') throw invalid(`metadata.${key} must be a string`)
        if (isLong(value)) throw invalid(`metadata.${key} has at most ${MAX_CHARS} characters`)
      }
    },
    async put(grant, kind, objectId, metadata) {
      const owner = { grantId: grant.id, applicationId: grant.applicationId, kind }
      if (Object.keys(metadata).length === 0) return await stored.remove(owner, objectId)
      const indexed = INDEXED_KEYS.flatMap((key) => {
        const value = metadata[key]
        return typeof value === 'string' ? [`${key}:${value}`] : []
      })
      await database.transaction(async (stores) => {
        if (!(await stores.grants.hold(grant.id))) throw appError('grant.not_found')
        await stores.metadata.put(owner, objectId, metadata, indexed)
      })
    },
    of: (grant, kind, objectIds) => stored.find({ grantId: grant.id, kind }, objectIds),
    async withPair(grant, kind, pair, { limit, cursor }) {
      const before = cursor === undefined ? {} : { beforeSeq: Number(cursor) }
      // One more than asked for tells whether there is a next page.
      const found = await stored.listWithPair({ grantId: grant.id, kind }, pair, {
        limit: limit + 1,
        ...before,
      })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const items = page.map(({ objectId }) => objectId)
      return found.length > limit && last ? { items, nextCursor: String(last.seq) } : { items }
    },
    remove: (grant, kind, objectId) => stored.remove({ grantId: grant.id, kind }, objectId),
  }
}

/** Characters, not UTF-16 units. */
function isLong(text: string): boolean {
  return text.length > MAX_CHARS && (text.length > 2 * MAX_CHARS || Array.from(text).length > MAX_CHARS)
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
