import { appError } from '../../contract/errors.ts'
import type { FullMessage, RawMessage, WireMessage } from '../../contract/message.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { IN_BYTES, IN_CHARACTERS } from '../../kit/text-form.ts'
import type { GrantSession } from '../ports/grant-session.ts'
import type { MessageFindOptions, MessagePage, MessagesPort, Page } from '../ports/mail.ts'
import type { MetadataKeeper } from '../ports/mail-services.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { MailService } from '../ports/services.ts'
import type { MailAccess } from './mail-access.ts'
import type { createMessageExtras } from './message-extras.ts'
import type { SharedReads } from './shared-reads.ts'

/** Messages found by their metadata are read one by one: so many at a time. */
const READS_AT_ONCE = 4
/** Objects with the pair that are looked for in one request, per message that is asked for. */
const SCAN_FACTOR = 4

type MessageCases = Pick<MailService, 'listMessages' | 'findMessage' | 'updateMessage' | 'deleteMessage'>

/** Reads and changes messages, and what this server keeps about them. */
export function createMessageCases(deps: {
  readonly access: MailAccess
  readonly reads: SharedReads
  readonly metadata: MetadataKeeper
  readonly withExtras: ReturnType<typeof createMessageExtras>
}): MessageCases {
  const { access, reads, metadata, withExtras } = deps
  return {
    async listMessages(grant, { pageToken, limit, metadataPair, ...filter }, context) {
      const messages = access.capability(grant, 'messages', 'read messages')
      const scope = {
        grantId: grant.id,
        route: 'messages',
        filter: metadataPair === undefined ? filter : { ...filter, metadataPair },
      }
      const cursor = access.openToken(scope, pageToken)
      const query = { ...filter, limit, ...cursor, takesBytes: true }
      const page = await reads.read(grant, ['messages', query, metadataPair], context, async (session) => {
        const found: MessagePage<FullMessage | RawMessage> =
          metadataPair === undefined
            ? await messages.list(session, query)
            : await listByPair(messages, session, grant, metadataPair, query)
        const form = found.inBytes === true ? IN_BYTES : IN_CHARACTERS
        return { ...found, items: await withExtras(grant, found.items, filter, form) }
      })
      return {
        ...access.wrapped<WireMessage>(scope, page),
        ...(page.inBytes === true ? { inBytes: true } : {}),
      }
    },
    async findMessage(grant, id, options, context) {
      const messages = access.capability(grant, 'messages', 'read messages')
      return await reads.read(grant, ['message', id, options], context, async (session) =>
        only(await withExtras(grant, [await messages.find(session, id, options)], options)),
      )
    },
    async updateMessage(grant, id, { metadata: pairs, ...change }, options, context) {
      if (pairs) metadata.check(pairs)
      const changesMessage = Object.keys(change).length > 0
      if (!changesMessage && !pairs) throw nothingToChange('unread, starred, folders or metadata')
      const messages = access.capability(grant, 'messages', 'read messages')
      const changes = changesMessage
        ? access.capability(grant, 'messageChanges', 'change messages')
        : undefined
      return await reads.use(grant, context, async (session) => {
        // Metadata alone is no change at the provider, but the message must be there.
        const message = changes
          ? await changes.update(session, id, { ...change, ...options })
          : await messages.find(session, id, { fields: 'standard', ...options })
        if (message.id !== id) await followMove(grant, id, message.id)
        if (pairs) await metadata.put(grant, 'message', message.id, pairs)
        return only(await withExtras(grant, [message], { fields: 'standard' }))
      })
    },
    async deleteMessage(grant, id, options, context) {
      const changes = access.capability(grant, 'messageChanges', 'delete messages')
      await reads.use(grant, context, async (session) => {
        await changes.delete(session, id, options)
        // In the trash it is a message still.
        if (options.hard) await metadata.remove(grant, 'message', id)
      })
    },
  }

  /** An id that names a place (IMAP without a Message-ID) is another one after a move: what is kept goes along. */
  async function followMove(grant: GrantRecord, from: string, to: string): Promise<void> {
    const kept = (await metadata.of(grant, 'message', [from])).get(from)
    if (!kept) return
    await metadata.put(grant, 'message', to, { ...kept })
    await metadata.remove(grant, 'message', from)
  }

  /** Those with the pair that are still there, newest first; ids of what is gone are skipped. */
  async function listByPair(
    messages: MessagesPort,
    session: GrantSession,
    grant: GrantRecord,
    pair: string,
    query: MessageFindOptions & { readonly limit: number; readonly cursor?: string },
  ): Promise<Page<FullMessage | RawMessage>> {
    const { limit, fields, select } = query
    const options = { fields, ...(select ? { select } : {}) }
    const items: (FullMessage | RawMessage)[] = []
    let cursor = query.cursor
    for (let scanned = 0; scanned < limit * SCAN_FACTOR; ) {
      const page = await metadata.withPair(grant, 'message', pair, {
        limit: Math.min(limit - items.length, READS_AT_ONCE),
        ...(cursor === undefined ? {} : { cursor }),
      })
      const found = await Promise.all(page.items.map((id) => findIfThere(messages, session, id, options)))
      items.push(...found.filter((message) => message !== undefined))
      if (page.nextCursor === undefined) return { items }
      cursor = page.nextCursor
      scanned += page.items.length
      if (items.length === limit) break
    }
    return cursor === undefined ? { items } : { items, nextCursor: cursor }
  }
}

async function findIfThere(
  messages: MessagesPort,
  session: GrantSession,
  id: string,
  options: MessageFindOptions,
): Promise<FullMessage | RawMessage | undefined> {
  try {
    return await messages.find(session, id, options)
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not-found') return undefined
    throw error
  }
}

/** The error of a `PUT` whose body has none of the fields that can change. */
export function nothingToChange(fields: string) {
  return appError('api.invalid_request_error', `The request body must have ${fields}.`)
}

function only<T>(items: readonly T[]): T {
  const [item] = items
  if (item === undefined) throw new Error('one message went in, none came out')
  return item
}
