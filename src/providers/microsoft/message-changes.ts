import type { FullMessage } from '../../contract/message.ts'
import type { MessageChange, MessageChangesPort } from '../../core/ports/mail.ts'
import type { JsonObject } from '../../kit/json.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { checkId } from './mailbox.ts'
import { projection } from './message-query.ts'
import { messagePath } from './read-messages.ts'
import { toMessage } from './to-wire.ts'
import { byMessageId } from './translate-id.ts'

/** Changes of messages by Microsoft Graph (contract/email.md 13.1). Ids are immutable: they outlast a move. */
export function createGraphMessageChanges(deps: GraphDeps): MessageChangesPort {
  return {
    async update(session, id, change) {
      checkId(id, 'message_id')
      const folder = folderOf(change)
      const patch = patchOf(change)
      const api = openGraph(deps, session, change.sharedFrom)
      return byMessageId(api, id, async (known) => {
        if (patch) {
          await api.change({ method: 'PATCH', path: messagePath(api, known), body: patch }, 'always')
        }
        const moved = folder === undefined ? known : await moveMessage(api, known, folder)
        const resource = await api.getJson(messagePath(api, moved), projection('standard', undefined))
        const message = toMessage(resource, session.grantId) ?? throwWithoutId('a message')
        return withChange(message, change)
      })
    },
    async delete(session, id, { hard, sharedFrom }) {
      checkId(id, 'message_id')
      const api = openGraph(deps, session, sharedFrom)
      await byMessageId(api, id, async (known) => {
        if (hard) await removeForGood(api, known)
        else await moveMessage(api, known, 'deleteditems')
      })
    },
  }
}

/** The folder to move to. @throws ProviderError `invalid-request`: a message of Microsoft's is in exactly one folder */
export function folderOf({ folders }: MessageChange): string | undefined {
  if (folders === undefined) return undefined
  const [folder] = folders
  if (folder === undefined || new Set(folders).size !== 1) {
    throw new ProviderError('invalid-request', 'folders must name exactly one folder at Microsoft.')
  }
  return checkId(folder, 'folders')
}

/** What `PATCH` is sent; undefined where nothing of it changes. */
export function patchOf({ unread, starred }: MessageChange): JsonObject | undefined {
  if (unread === undefined && starred === undefined) return undefined
  return {
    ...(unread === undefined ? {} : { isRead: !unread }),
    ...(starred === undefined ? {} : { flag: flagOf(starred) }),
  }
}

/** Graph's flag of a message that is starred or not. */
export function flagOf(starred: boolean): JsonObject {
  return { flagStatus: starred ? 'flagged' : 'notFlagged' }
}

/** The message with the change in it: what Graph reads back may lag behind what it has just accepted. */
export function withChange<T extends Pick<FullMessage, 'unread' | 'starred' | 'folders'>>(
  message: T,
  { unread, starred, folders }: MessageChange,
): T {
  return {
    ...message,
    ...(unread === undefined ? {} : { unread }),
    ...(starred === undefined ? {} : { starred }),
    ...(folders === undefined ? {} : { folders: [...folders] }),
  }
}

/** Moves a message. @returns its id, which is the same under immutable ids */
async function moveMessage(api: GraphApi, id: string, destinationId: string): Promise<string> {
  const moved = await api.changeJson(
    { method: 'POST', path: `${messagePath(api, id)}/move`, body: { destinationId } },
    'always',
  )
  return stringField(moved, 'id') || id
}

/** Says that the action, not the message, is unknown: national clouds have no permanentDelete (checked 2026-11). */
function isActionUnknown({ kind, details: { httpStatus, providerCode } }: ProviderError): boolean {
  if (httpStatus === 405 || httpStatus === 501) return true
  const isMissing = kind === 'not-found' && httpStatus === 404
  const isItem = ['erroritemnotfound', 'errorinvalididmalformed'].includes(providerCode?.toLowerCase() ?? '')
  return (isMissing && !isItem) || (kind === 'invalid-request' && httpStatus === 400 && !isItem)
}

/** Deletes a message beyond what the user can restore. @throws ProviderError `not-found` for an unknown one */
export async function removeForGood(api: GraphApi, id: string): Promise<void> {
  const path = messagePath(api, id)
  try {
    await api.change({ method: 'POST', path: `${path}/permanentDelete` }, 'always')
  } catch (error) {
    if (!(error instanceof ProviderError) || !isActionUnknown(error)) throw error
    await api.change({ method: 'DELETE', path }, 'always')
  }
}
