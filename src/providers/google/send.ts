import type { MessageHeader } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { OutgoingMessage, SendPort, SentResult } from '../../core/ports/outgoing.ts'
import { composeToBuffer, type MailContent } from '../../formats/mime/compose-message.ts'
import { headerAddresses, parseHeaderBlock } from '../../formats/mime/headers.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GoogleApi, openApi } from './api.ts'
import { beforeSending } from './before-sending.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { isGmailId } from './message-detail.ts'
import { readReplyTarget, type ReplyTarget } from './reply-target.ts'
import { sendSource } from './send-source.ts'
import type { SenderAddresses } from './sender-addresses.ts'
import { sentAttachments } from './sent-attachments.ts'
import { headersOf, labelsOf } from './to-wire.ts'

const SEND_PATH = '/gmail/v1/users/me/messages/send'

/** Sends by messages.send (contract/email.md 12.1). A call that may have gone through is never made again. */
export function createGmailSend(deps: GoogleDeps, senders: SenderAddresses): SendPort {
  const { gmailUrl } = deps.endpoints
  const send = async (api: GoogleApi, source: Uint8Array, threadId: string | undefined) => {
    const thread = threadId ? { threadId } : {}
    const call = { path: SEND_PATH, method: 'POST', isDraft: false, isRepeatable: false } as const
    return sendSource(api, gmailUrl, { ...call, source, ...thread })
  }
  const resultOf = async (session: GrantSession, api: GoogleApi, sent: JsonObject, withHeaders: boolean) => {
    const result = toSentResult(sent, unixSeconds(deps.clock))
    if (!withHeaders) return result
    const headers = await readHeaders(session, api, gmailUrl, result.id)
    return headers ? { ...result, headers } : result
  }
  return {
    async send(session, message, { withHeaders }) {
      const api = openApi(deps, session)
      const { content, threadId } = await beforeSending(() =>
        toContent(session, api, gmailUrl, senders, message),
      )
      const source = await composeToBuffer(content, { keepsBcc: true })
      const result = await resultOf(session, api, await send(api, source, threadId), withHeaders)
      const attachments = sentAttachments(source, content, message.attachments, session.grantId)
      return attachments ? { ...result, attachments } : result
    },
    async sendRaw(session, source, { withHeaders }) {
      const api = openApi(deps, session)
      const [from] = headerAddresses(parseHeaderBlock(source), 'from')
      // Gmail would put the account's own address in the place of one that it may not use.
      if (from?.email) await beforeSending(() => senders.settle(session, api, from))
      return resultOf(session, api, await send(api, source, undefined), withHeaders)
    },
  }
}

/** Settles what Gmail has to say about a message: who it is from, and what it replies to. */
export async function toContent(
  session: GrantSession,
  api: GoogleApi,
  gmailUrl: string,
  senders: SenderAddresses,
  message: OutgoingMessage,
): Promise<{ readonly content: MailContent; readonly threadId?: string }> {
  const from = await senders.settle(session, api, message.from)
  const { replyToMessageId } = message
  if (replyToMessageId === undefined) return { content: { ...message, from } }
  const target = await readReplyTarget(api, gmailUrl, replyToMessageId)
  return { content: { ...message, from, ...threadingOf(target) }, threadId: target.threadId }
}

/** The headers that put a message behind another. */
export function threadingOf({ inReplyTo, references }: ReplyTarget) {
  return { references, ...(inReplyTo === undefined ? {} : { inReplyTo }) }
}

/** Reads what a send answers: ids and labels. @throws ProviderError `malformed-response`; the message may have gone */
export function toSentResult(sent: JsonObject, date: number): SentResult {
  const id = stringField(sent, 'id')
  if (!id) {
    throw new ProviderError('malformed-response', 'Google answered a message without an id.', {
      answered: true,
    })
  }
  return { id, threadId: stringField(sent, 'threadId') ?? '', folders: labelsOf(sent), date }
}

/** The headers as Gmail keeps them: it may have replaced the Message-ID. Undefined where they can't be read. */
async function readHeaders(
  session: GrantSession,
  api: GoogleApi,
  gmailUrl: string,
  id: string,
): Promise<readonly MessageHeader[] | undefined> {
  if (!isGmailId(id)) return undefined
  try {
    const path = `/gmail/v1/users/me/messages/${id}?format=metadata&fields=payload%2Fheaders`
    const message = await api.getJson(at(gmailUrl, path))
    return isJsonObject(message['payload']) ? headersOf(message['payload']) : []
  } catch (error) {
    // The message has gone: an error would make the client send it again.
    session.log.warn({ grantId: session.grantId, err: error }, 'sent_message.headers_not_read')
    return undefined
  }
}
