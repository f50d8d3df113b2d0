import type { MailService } from '../ports/services.ts'
import type { MailAccess } from './mail-access.ts'
import { nothingToChange } from './messages.ts'
import type { SharedReads } from './shared-reads.ts'

type ThreadCases = Pick<MailService, 'listThreads' | 'findThread' | 'updateThread' | 'deleteThread'>

/** Reads and changes threads. */
export function createThreadCases({
  access,
  reads,
}: {
  readonly access: MailAccess
  readonly reads: SharedReads
}): ThreadCases {
  return {
    async listThreads(grant, { pageToken, limit, ...filter }, context) {
      const threads = access.capability(grant, 'threads', 'read threads')
      const scope = { grantId: grant.id, route: 'threads', filter }
      const query = { ...filter, limit, ...access.openToken(scope, pageToken) }
      const page = await reads.read(grant, ['threads', query], context, (session) =>
        threads.list(session, query),
      )
      return access.wrapped(scope, page)
    },
    async findThread(grant, id, options, context) {
      const threads = access.capability(grant, 'threads', 'read threads')
      return await reads.read(grant, ['thread', id, options], context, (session) =>
        threads.find(session, id, options),
      )
    },
    async updateThread(grant, id, change, options, context) {
      if (Object.keys(change).length === 0) throw nothingToChange('unread, starred or folders')
      const threads = access.capability(grant, 'threads', 'change threads')
      return await reads.use(grant, context, (session) =>
        threads.update(session, id, { ...change, ...options }),
      )
    },
    async deleteThread(grant, id, options, context) {
      const threads = access.capability(grant, 'threads', 'delete threads')
      await reads.use(grant, context, (session) => threads.delete(session, id, options))
    },
  }
}
