import { Type } from 'typebox'
import { single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { grantRoute, type Route } from '../route.ts'

const MAX_PROMPT = 1000

const Body = Type.Object({
  prompt: Type.Optional(Type.Unknown({ description: 'Text of at most 1000 characters' })),
})

/** Composing by a language model (contract/email.md 5.3): this server has none, and says so. */
export function smartComposeRoutes(): readonly Route[] {
  const shared = {
    method: 'POST',
    tag: 'Messages',
    body: Body,
    response: single(Type.Object({ suggestion: Type.String() })),
    handle: async ({ body }: { readonly body: { readonly prompt?: unknown } }): Promise<never> => {
      checkPrompt(body.prompt)
      throw appError('smart_compose.no_model')
    },
  } as const
  return [
    grantRoute('mail', {
      ...shared,
      url: '/v3/grants/:grant_id/messages/smart-compose',
      operationId: 'composeMessage',
      summary: 'Compose a message; refused, since this server has no language model',
      params: { grant_id: Type.String() },
    }),
    grantRoute('mail', {
      ...shared,
      url: '/v3/grants/:grant_id/messages/:message_id/smart-compose',
      operationId: 'composeReply',
      summary: 'Compose a reply; refused, since this server has no language model',
      params: { grant_id: Type.String(), message_id: Type.String() },
    }),
  ]
}

function checkPrompt(prompt: unknown): void {
  if (prompt === undefined || prompt === null || prompt === '')
    throw appError('smart_compose.prompt_required')
  if (typeof prompt !== 'string') throw appError('smart_compose.invalid', 'prompt must be a string.')
  if (Array.from(prompt).length > MAX_PROMPT) throw appError('smart_compose.invalid')
}
