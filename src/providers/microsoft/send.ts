import type { SendPort } from '../../core/ports/outgoing.ts'
import { stringField } from '../../kit/json.ts'
import { openGraph } from './api.ts'
import { createDraft, createDraftOfSource } from './create-draft.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { readyDraft, sendDraft } from './send-draft.ts'

/**
 * Sending by Microsoft Graph: a draft is made and sent, so that the message's id is known; `sendMail` would give
 * none (contract/email.md 13.1).
 */
export function createGraphSend(deps: GraphDeps): SendPort {
  return {
    async send(session, message, options) {
      const api = openGraph(deps, session)
      const draft = await createDraft(deps, session, api, message)
      const id = stringField(draft, 'id') || throwWithoutId('a draft')
      const ready = readyDraft(draft, id, { isOurs: true, files: message.attachments })
      return sendDraft(deps, session, api, ready, options)
    },
    async sendRaw(session, source, options) {
      const api = openGraph(deps, session)
      const draft = await createDraftOfSource(deps, session, api, source)
      const id = stringField(draft, 'id') || throwWithoutId('a draft')
      return sendDraft(deps, session, api, readyDraft(draft, id, { isOurs: true, files: [] }), options)
    },
  }
}
