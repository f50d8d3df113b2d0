import { setImmediate } from 'node:timers/promises'
import type { CleanBody, CleanMessage } from '../../../contract/clean.ts'
import { appError } from '../../../contract/errors.ts'
import type { FullMessage, RawMessage } from '../../../contract/message.ts'
import { type ConversationOptions, conversationOf } from '../../../formats/html/conversation.ts'
import { ProviderError } from '../../../kit/provider-error.ts'
import type { GrantSession } from '../../ports/grant-session.ts'
import type { InMailbox, MessagesPort } from '../../ports/mail.ts'
import type { CleanService } from '../../ports/mail-texts.ts'
import type { MailAccess } from '../mail-access.ts'
import type { createMessageExtras } from '../message-extras.ts'
import type { SharedReads } from '../shared-reads.ts'

/** Messages that are read at the same time. */
const READS_AT_ONCE = 4

/** Makes `PUT /messages/clean` (contract/email.md 5.2). */
export function createCleanService(deps: {
  readonly access: MailAccess
  readonly reads: SharedReads
  readonly withExtras: ReturnType<typeof createMessageExtras>
}): CleanService {
  return {
    async clean(grant, body, options, context) {
      const wanted = readOptions(body)
      const messages = deps.access.capability(grant, 'messages', 'read messages')
      const ids = [...new Set(body.message_id)]
      const found = await deps.reads.read(grant, ['clean', ids, options], context, async (session) =>
        deps.withExtras(grant, await findAll(messages, session, ids, options), { fields: 'standard' }),
      )
      const cleaned = new Map<string, CleanMessage>()
      for (const [at, message] of found.entries()) {
        cleaned.set(ids[at] ?? '', { ...message, conversation: conversationOf(message.body ?? '', wanted) })
        // Long bodies take their time: others are let in between.
        await setImmediate()
      }
      return body.message_id.flatMap((id) => cleaned.get(id) ?? [])
    },
  }
}

function readOptions(body: CleanBody): ConversationOptions {
  const markdown = body.html_as_markdown ?? false
  const imagesAsMarkdown = body.images_as_markdown ?? true
  if (markdown && !imagesAsMarkdown) {
    throw appError(
      'api.invalid_request_error',
      'images_as_markdown can’t be false when html_as_markdown is true.',
    )
  }
  return {
    markdown,
    links: !(body.ignore_links ?? true),
    images: (body.ignore_images ?? true) ? 'none' : imagesAsMarkdown ? 'markdown' : 'address',
    tables: !(body.ignore_tables ?? true),
    removesConclusion: body.remove_conclusion_phrases ?? true,
  }
}

async function findAll(
  messages: MessagesPort,
  session: GrantSession,
  ids: readonly string[],
  options: InMailbox,
): Promise<readonly (FullMessage | RawMessage)[]> {
  const found: (FullMessage | RawMessage)[] = []
  for (let at = 0; at < ids.length; at += READS_AT_ONCE) {
    const next = ids.slice(at, at + READS_AT_ONCE)
    found.push(...(await Promise.all(next.map((id) => findOne(messages, session, id, options)))))
  }
  return found
}

async function findOne(messages: MessagesPort, session: GrantSession, id: string, options: InMailbox) {
  try {
    return await messages.find(session, id, { fields: 'standard', ...options })
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error
    throw appError('not_found_error', `message_id: there is no message ${id}.`)
  }
}
