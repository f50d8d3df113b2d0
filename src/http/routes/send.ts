import { Type, type Static } from 'typebox'
import { UnixSeconds } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { SentMessage } from '../../contract/message.ts'
import { SendBody } from '../../contract/outgoing.ts'
import type { SendAnswer } from '../../core/ports/mail-services.ts'
import type { GrantRecord } from '../../core/ports/records.ts'
import { answerOnce } from '../plugins/answer-once.ts'
import { type Answer, AnswerWithStatus, grantRoute, type Route } from '../route.ts'

/** `grant_id` stands at the top, too, and so does what a scheduled message is found by (contract/email.md 4.7, 18). */
const SendResponse = Type.Object({
  request_id: Type.String(),
  grant_id: Type.String(),
  schedule_id: Type.Optional(Type.String()),
  send_at: Type.Optional(UnixSeconds),
  use_draft: Type.Optional(Type.Boolean()),
  data: SentMessage,
})

const SendFields = Type.Optional(
  Type.Union([
    Type.Literal('standard'),
    Type.Literal('include_headers'),
    Type.Literal('include_basic_headers'),
  ]),
)
const MimeType = Type.Optional(
  Type.Literal('mime', { description: 'The form has a complete RFC 5322 message in its part mime' }),
)

/** Sending (contract/email.md 4). */
export function sendRoutes(): readonly Route[] {
  return [
    grantRoute('mail', {
      method: 'POST',
      url: '/v3/grants/:grant_id/messages/send',
      operationId: 'sendMessage',
      summary: 'Send a message, now or (send_at) later; Idempotency-Key makes repeats harmless for an hour',
      tag: 'Messages',
      params: { grant_id: Type.String() },
      query: { fields: SendFields, type: MimeType },
      messageBody: SendBody,
      alsoAccepts: true,
      response: SendResponse,
      handle: async ({ services, query, message, idempotencyKey, context }, grant) => {
        const { fields = 'standard', type = '' } = query
        const send = async () => {
          if (type === 'mime') {
            if (!message.mime) {
              throw appError('api.invalid_request_error', 'mime is required: a part with the whole message')
            }
            return await services.outgoing.sendRaw(grant, message.mime, fields, context)
          }
          // The boundary of the schema: it was read by this one.
          const body = message.read(SendBody) as Static<typeof SendBody>
          return await services.outgoing.send(grant, { body, files: message.files, fields }, context)
        }
        const request = {
          key: idempotencyKey,
          payload: idempotencyKey === undefined ? [] : [fields, type, message.digest()],
          requestId: context.requestId,
          response: SendResponse,
        }
        return await answerOnce(services.idempotency, grant, request, async () =>
          present(grant, await send()),
        )
      },
    }),
  ]
}

function present(grant: GrantRecord, { data, scheduled }: SendAnswer): Answer | AnswerWithStatus {
  if (!scheduled) return { grant_id: grant.id, data }
  const { schedule_id, send_at, use_draft } = data
  return new AnswerWithStatus(202, { grant_id: grant.id, schedule_id, send_at, use_draft, data })
}
