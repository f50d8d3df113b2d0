import { appError } from '../../contract/errors.ts'
import type { WireMessage } from '../../contract/message.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { GrantSessions } from '../grants/sessions.ts'
import type { Mail, Page } from '../ports/mail.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { MailService } from '../ports/services.ts'
import type { Vault } from '../ports/vault.ts'
import { type CursorScope, decodeCursor, encodeCursor } from './cursor.ts'

/** The use-cases of mail: picks the provider's capability, opens and wraps cursors. */
export function createMailService(deps: {
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly sessions: GrantSessions
  readonly vault: Vault
}): MailService {
  return {
    async listMessages(grant, { pageToken, limit, metadataPair, ...filter }, context) {
      const { messages } = mailOf(grant)
      const scope = { grantId: grant.id, route: 'messages', filter }
      const cursor = openToken(scope, pageToken)
      // Metadata is kept by this server, not at the provider; no message of this grant carries any yet.
      if (metadataPair !== undefined) return { items: [] }
      const page = await deps.sessions.use(grant, context, (session) =>
        messages.list(session, { ...filter, limit, ...cursor }),
      )
      return wrapped(scope, page, (message) => withTracking(message, filter.fields))
    },
    async findMessage(grant, id, options, context) {
      const { messages } = mailOf(grant)
      const found = await deps.sessions.use(grant, context, (session) => messages.find(session, id, options))
      return withTracking(found, options.fields)
    },
    async listFolders(grant, { pageToken, limit, ...filter }, context) {
      const { folders } = mailOf(grant)
      const scope = { grantId: grant.id, route: 'folders', filter }
      const cursor = openToken(scope, pageToken)
      const page = await deps.sessions.use(grant, context, (session) =>
        folders.list(session, { ...filter, limit, ...cursor }),
      )
      return wrapped(scope, page, (folder) => folder)
    },
    findFolder(grant, id, options, context) {
      const { folders } = mailOf(grant)
      return deps.sessions.use(grant, context, (session) => folders.find(session, id, options))
    },
  }

  function mailOf(grant: GrantRecord): Mail {
    const mail = deps.providers.get(grant.provider)?.mail
    if (mail) return mail
    throw appError('api.invalid_request_error', `A ${grant.provider} grant has no mail.`)
  }

  function openToken(scope: CursorScope, pageToken: string | undefined): { readonly cursor?: string } {
    return pageToken === undefined ? {} : { cursor: decodeCursor(deps.vault, scope, pageToken) }
  }

  function wrapped<P, W>(scope: CursorScope, page: Page<P>, show: (item: P) => W): Page<W> {
    const items = page.items.map(show)
    if (page.nextCursor === undefined) return { items }
    return { items, nextCursor: encodeCursor(deps.vault, scope, page.nextCursor) }
  }
}

/** No message was sent with tracking yet, so every message says that it has none. */
function withTracking(message: WireMessage, fields: string): WireMessage {
  if (fields !== 'include_tracking_options') return message
  return { ...message, tracking_options: { opens: false, thread_replies: false, links: false, label: '' } }
}
