import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { MessageHeader } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { SendOptions, SendPort, SentResult } from '../../core/ports/outgoing.ts'
import { composeMessage, composeToBuffer, mayBe8Bit } from '../../formats/mime/compose-message.ts'
import { domainOf } from '../../formats/addresses.ts'
import { headerValue, parseHeaderBlock } from '../../formats/mime/headers.ts'
import { type Clock, unixSeconds } from '../../kit/clock.ts'
import type { MailboxRunner } from './in-mailbox.ts'
import { publicMessageId, threadIdOf } from './message-id.ts'
import { messageFromSource } from './message-from-source.ts'
import { ancestorsOf, contentOf, estimatedBytes, inGivenOrder } from './outgoing-content.ts'
import { prepareRaw, type RawDefaults } from './raw-source.ts'
import { fileSentCopy, sentFolderId } from './sent-copy.ts'
import type { SmtpAccountOf } from './smtp-account.ts'

export interface SendDeps {
  /** A runner of work: reading, which may be repeated, or changing, which never is. */
  readonly openMailbox: (session: GrantSession, mode: 'use' | 'change') => Promise<MailboxRunner>
  readonly smtpAccountOf: SmtpAccountOf
  readonly clock: Clock
}

/** Filing the copy takes no longer, though the message has gone and the caller's deadline counts no more. */
const FILING_TIMEOUT_MS = 60_000

/** Makes the send port: SMTP, then a copy under Sent. */
export function createSend(deps: SendDeps): SendPort {
  return {
    async send(session, message, options) {
      const account = await deps.smtpAccountOf(session)
      const { replyToMessageId } = message
      const ancestors =
        replyToMessageId === undefined
          ? []
          : await (await deps.openMailbox(session, 'use'))(session.signal, (view) =>
              ancestorsOf(view, replyToMessageId),
            )
      const content = contentOf(message, session.email, ancestors)
      session.spend({ requests: 1 })
      const receipt = await account.submit(
        {
          from: content.from.email,
          to: [...content.to, ...content.cc, ...content.bcc].map(({ email }) => email),
          sizeBytes: estimatedBytes(content),
          is8Bit: mayBe8Bit(content),
          open: () => composeMessage(content, { keepsBcc: false }),
        },
        session.signal,
      )
      const written = () => composeToBuffer(content, { keepsBcc: true })
      const { source, folders } = await afterSending(deps, session, account.storesSent, {
        source: written,
        messageId: message.messageId,
        date: message.date,
      })
      const shown = source ?? (options.withHeaders ? await written().catch(() => undefined) : undefined)
      const messageId = receipt.serverMessageId ?? message.messageId
      const headers = { messageId, references: ancestors.join(' '), inReplyTo: content.inReplyTo }
      const result = resultOf(headers, { folders, date: message.date })
      const attachments = source && inGivenOrder(content, attachmentsIn(source, session, result))
      return {
        ...result,
        ...(attachments ? { attachments } : {}),
        ...(options.withHeaders && shown ? { headers: headersOf(shown) } : {}),
      }
    },
    sendRaw: (session, source, options) => sendSource(deps, session, source, { ...options, isDraft: false }),
  }
}

/** Sends a complete source, and files a copy of it. As `SendPort.sendRaw`. */
export async function sendSource(
  deps: SendDeps,
  session: GrantSession,
  source: Uint8Array,
  options: SendOptions & Pick<RawDefaults, 'isDraft'>,
): Promise<SentResult> {
  const account = await deps.smtpAccountOf(session)
  const date = unixSeconds(deps.clock)
  const raw = prepareRaw(source, {
    from: session.email,
    messageId: `<${randomUUID()}@${domainOf(session.email) || 'localhost'}>`,
    date,
    isDraft: options.isDraft,
  })
  session.spend({ requests: 1 })
  const receipt = await account.submit(
    {
      from: raw.from,
      to: raw.to,
      sizeBytes: raw.sent.length,
      is8Bit: raw.is8Bit,
      open: () => Promise.resolve(Readable.from([raw.sent])),
    },
    session.signal,
  )
  const messageId = headerValue(raw.headers, 'message-id') ?? ''
  const { folders } = await afterSending(deps, session, account.storesSent, {
    source: () => Promise.resolve(raw.kept),
    messageId,
    date,
  })
  const result = resultOf(
    {
      messageId: receipt.serverMessageId ?? messageId,
      references: headerValue(raw.headers, 'references'),
      inReplyTo: headerValue(raw.headers, 'in-reply-to'),
    },
    { folders, date },
  )
  return {
    ...result,
    attachments: [...attachmentsIn(raw.kept, session, result)],
    ...(options.withHeaders ? { headers: raw.headers } : {}),
  }
}

/** What comes after the message has gone never fails the send: it would be sent again. */
async function afterSending(
  deps: SendDeps,
  session: GrantSession,
  storesSent: boolean,
  copy: { readonly source: () => Promise<Buffer>; readonly messageId: string; readonly date: number },
): Promise<{ readonly folders: readonly string[]; readonly source?: Buffer }> {
  const signal = AbortSignal.timeout(FILING_TIMEOUT_MS)
  try {
    if (storesSent) {
      const id = await (await deps.openMailbox(session, 'use'))(signal, sentFolderId)
      return { folders: id === undefined ? [] : [id] }
    }
    const source = await copy.source()
    const folder = await (await deps.openMailbox(session, 'use'))(signal, (view) =>
      fileSentCopy(view, { ...copy, source }),
    )
    return { folders: [folder], source }
  } catch (error) {
    session.log.warn({ err: error }, 'mail.sent_copy_failed')
    return { folders: [] }
  }
}

/** What is told of a message that was sent. */
export function resultOf(
  headers: {
    readonly messageId: string
    readonly references?: string | undefined
    readonly inReplyTo?: string | undefined
  },
  more: { readonly folders: readonly string[]; readonly date: number },
): SentResult {
  const id = publicMessageId(headers.messageId) ?? headers.messageId
  return { id, threadId: threadIdOf(headers, id), ...more }
}

function attachmentsIn(source: Uint8Array, session: GrantSession, { date }: SentResult) {
  const at = { path: '', uidValidity: 1, uid: 1 }
  return messageFromSource(source, {
    grantId: session.grantId,
    date,
    folders: [],
    unread: false,
    starred: false,
    place: at,
  }).attachments
}

/** Every header as it was sent: Bcc was not. */
function headersOf(source: Uint8Array): readonly MessageHeader[] {
  return parseHeaderBlock(source).filter(({ name }) => name.toLowerCase() !== 'bcc')
}
