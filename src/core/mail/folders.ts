import type { MailService } from '../ports/services.ts'
import type { MailAccess } from './mail-access.ts'
import type { SharedReads } from './shared-reads.ts'

type FolderCases = Pick<
  MailService,
  'listFolders' | 'findFolder' | 'createFolder' | 'updateFolder' | 'deleteFolder'
>

/** Reads and changes folders. */
export function createFolderCases({
  access,
  reads,
}: {
  readonly access: MailAccess
  readonly reads: SharedReads
}): FolderCases {
  return {
    async listFolders(grant, { pageToken, limit, ...filter }, context) {
      const folders = access.capability(grant, 'folders', 'read folders')
      const scope = { grantId: grant.id, route: 'folders', filter }
      const query = { ...filter, limit, ...access.openToken(scope, pageToken) }
      const page = await reads.read(grant, ['folders', query], context, (session) =>
        folders.list(session, query),
      )
      return access.wrapped(scope, page)
    },
    async findFolder(grant, id, options, context) {
      const folders = access.capability(grant, 'folders', 'read folders')
      return await reads.read(grant, ['folder', id, options], context, (session) =>
        folders.find(session, id, options),
      )
    },
    async createFolder(grant, body, context) {
      const changes = access.capability(grant, 'folderChanges', 'create folders')
      return await reads.use(grant, context, (session) => changes.create(session, body))
    },
    async updateFolder(grant, id, change, context) {
      const changes = access.capability(grant, 'folderChanges', 'change folders')
      const folders = access.capability(grant, 'folders', 'read folders')
      return await reads.use(grant, context, (session) =>
        Object.keys(change).length === 0
          ? folders.find(session, id, {})
          : changes.update(session, id, change),
      )
    },
    async deleteFolder(grant, id, context) {
      const changes = access.capability(grant, 'folderChanges', 'delete folders')
      await reads.use(grant, context, (session) => changes.delete(session, id))
    },
  }
}
