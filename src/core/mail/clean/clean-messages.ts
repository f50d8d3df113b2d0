import { setImmediate } from 'node:timers/promises'
import type { CleanBody, CleanMessage } from '../../../contract/clean.ts'
import { appError, ERRORS } from '../../../contract/errors.ts'
import type { FullMessage, RawMessage } from '../../../contract/message.ts'
import type { ConversationOptions } from '../../../formats/html/conversation.ts'
import { AppError } from '../../../kit/app-error.ts'
import { ProviderError } from '../../../kit/provider-error.ts'
import type { GrantSession } from '../../ports/grant-session.ts'
import type { InMailbox, MessagesPort } from '../../ports/mail.ts'
import type { CleanService } from '../../ports/mail-texts.ts'
import type { MailAccess } from '../mail-access.ts'
import type { createMessageExtras } from '../message-extras.ts'
import type { SharedReads } from '../shared-reads.ts'
import { type CleanPool, createCleanPool } from './clean-pool.ts'

/** Messages that are read at the same time. */
const READS_AT_ONCE = 4
const TOO_COMPLEX = ERRORS['clean.too_complex']

/** Makes `PUT /messages/clean` (contract/email.md 5.2). */
export function createCleanService(deps: {
  readonly pool?: CleanPool
  readonly access: MailAccess
  readonly reads: SharedReads
  readonly withExtras: ReturnType<typeof createMessageExtras>
}): CleanService {
  const { pool = createCleanPool() } = deps
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
        const id = ids[at] ?? ''
        const conversation = await pool
          .conversationOf(grant.applicationId, message.body ?? '', wanted, context.signal)
          .catch((error: unknown) => {
            throw withId(error, id)
          })
        cleaned.set(id, { ...message, conversation })
        // Short bodies are written in this thread: others are let in between.
        await setImmediate()
      }
      return body.message_id.flatMap((id) => cleaned.get(id) ?? [])
    },
    close: () => pool.close(),
  }
}

/** The error of a body that can't be written names its message. */
function withId(error: unknown, id: string): unknown {
  return error instanceof AppError && error.status === TOO_COMPLEX.status
    ? appError('clean.too_complex', `message_id: ${TOO_COMPLEX.message} It is ${id}.`)
    : error
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
