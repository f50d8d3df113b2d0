import type { FullDraft, FullMessage } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { Page } from '../../core/ports/mail.ts'
import type { DraftChange, DraftQuery, DraftsPort } from '../../core/ports/outgoing.ts'
import { composeToBuffer } from '../../formats/mime/compose-message.ts'
import { domainOf } from '../../formats/addresses.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { readObject } from './api.ts'
import { beforeSending } from './before-sending.ts'
import { deleteObject } from './delete-object.ts'
import { changeContent, readDraftContent } from './draft-content.ts'
import { draftIdsOf, resolveDraftId, unknownDraft } from './draft-ids.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { listBySearch } from './list-messages.ts'
import { listByThread } from './list-thread-messages.ts'
import { isGmailId } from './message-detail.ts'
import { mapMessage, type MessageReader, openReader } from './read-messages.ts'
import { readReplyTarget } from './reply-target.ts'
import { unsupported } from './search-query.ts'
import { threadingOf, toContent, toSentResult } from './send.ts'
import { sendSource } from './send-source.ts'
import type { SenderAddresses } from './sender-addresses.ts'
import { labelsOf } from './to-wire.ts'

const DRAFTS = '/gmail/v1/users/me/drafts'
const JSON_TYPE = { 'content-type': 'application/json' }
/** One source of 35 MB in base64, and room for its envelope. */
const ONE_MAX_BYTES = 64 * 1024 * 1024

/** Drafts by the Gmail API (contract/email.md 12.1): the id is the draft's own, which changes leave as it is. */
export function createGmailDrafts(deps: GoogleDeps, senders: SenderAddresses): DraftsPort {
  const { gmailUrl } = deps.endpoints
  const readerFor = (session: GrantSession) => openReader(deps, session)
  return {
    list: (session, query) => list(readerFor(session), query),
    async find(session, id, { sharedFrom }) {
      if (sharedFrom !== undefined) throw unsupported('shared_from')
      const reader = readerFor(session)
      return readDraft(reader, await resolveDraftId(reader.api, gmailUrl, id))
    },
    async create(session, { starred, ...message }) {
      const reader = readerFor(session)
      const { content, threadId } = await toContent(session, reader.api, gmailUrl, senders, message)
      const source = await composeToBuffer(content, { keepsBcc: true })
      const made = await sendSource(reader.api, gmailUrl, {
        method: 'POST',
        path: DRAFTS,
        source,
        isDraft: true,
        // Twice would be two drafts.
        isRepeatable: false,
        ...(threadId ? { threadId } : {}),
      })
      if (starred === true) await star(reader, messageOf(made), true)
      return readDraft(reader, idOf(made))
    },
    async update(session, id, change) {
      const reader = readerFor(session)
      const draftId = await resolveDraftId(reader.api, gmailUrl, id)
      await update(session, { deps, reader, senders }, draftId, change)
      return readDraft(reader, draftId)
    },
    async delete(session, id) {
      const { api } = readerFor(session)
      await deleteObject(api, at(gmailUrl, `${DRAFTS}/${await resolveDraftId(api, gmailUrl, id)}`))
    },
    async send(session, id) {
      const { api } = readerFor(session)
      const draftId = await beforeSending(() => resolveDraftId(api, gmailUrl, id))
      const body = JSON.stringify({ id: draftId })
      const url = at(gmailUrl, `${DRAFTS}/send`)
      const call = { method: 'POST', url, headers: JSON_TYPE, body, isRepeatable: false } as const
      return toSentResult(readObject(await api.send(call)), unixSeconds(deps.clock))
    },
  }
}

/** Drafts are messages with a label, so they are found as such; only their own ids are asked for besides. */
async function list(reader: MessageReader, query: DraftQuery): Promise<Page<FullDraft>> {
  const isOther = query.in !== undefined && query.in !== 'DRAFT'
  const asMessages = { ...query, fields: 'standard' as const }
  const page =
    query.threadId === undefined
      ? // A list takes one label; with another one the search says that it must be a draft.
        await listBySearch(reader, {
          ...asMessages,
          ...(isOther ? { searchQueryNative: 'in:draft' } : { in: 'DRAFT' }),
        })
      : await listByThread(reader, { ...asMessages, in: query.in ?? 'DRAFT' }, query.threadId)
  const messages = page.items.flatMap((item) =>
    'folders' in item && item.folders.includes('DRAFT') ? [item] : [],
  )
  const ids = await draftIdsOf(
    reader.api,
    reader.gmailUrl,
    messages.map(({ id }) => id),
  )
  return {
    items: messages.flatMap((message) => {
      const draftId = ids.get(message.id)
      return draftId === undefined ? [] : [toDraft(draftId, message)]
    }),
    ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
  }
}

async function readDraft(reader: MessageReader, draftId: string): Promise<FullDraft> {
  const draft = await getDraft(reader, draftId, 'full')
  return toDraft(draftId, await mapMessage(reader, messageOf(draft), 'standard'))
}

async function getDraft(reader: MessageReader, draftId: string, format: 'full' | 'raw'): Promise<JsonObject> {
  const path = `${DRAFTS}/${encodeURIComponent(draftId)}?format=${format}`
  return reader.api.getJson(at(reader.gmailUrl, path), ONE_MAX_BYTES).catch((error: unknown) => {
    // Gmail refuses an id of another form as invalid.
    if (error instanceof ProviderError && error.kind === 'invalid-request') throw unknownDraft()
    throw error
  })
}

interface Updating {
  readonly deps: GoogleDeps
  readonly reader: MessageReader
  readonly senders: SenderAddresses
}

/** Writes the draft again with what changes; only its star is a label, which may be lost with the old source. */
async function update(
  session: GrantSession,
  { deps, reader, senders }: Updating,
  draftId: string,
  change: DraftChange,
): Promise<void> {
  const { api, gmailUrl } = reader
  const { starred, ...content } = change
  const before = messageOf(await getDraft(reader, draftId, 'raw'))
  const wasStarred = labelsOf(before).includes('STARRED')
  let now = before
  if (Object.keys(content).length > 0) {
    const known = readDraftContent(Buffer.from(stringField(before, 'raw') ?? '', 'base64url'), {
      email: session.email,
      messageId: `<${draftId}@${domainOf(session.email)}>`,
      date: unixSeconds(deps.clock),
    })
    const from = change.from ? await senders.settle(session, api, change.from) : known.from
    const target =
      change.replyToMessageId === undefined
        ? undefined
        : await readReplyTarget(api, gmailUrl, change.replyToMessageId)
    const next = { ...changeContent(known, change), from, ...(target ? threadingOf(target) : {}) }
    const threadId = target?.threadId ?? stringField(before, 'threadId')
    const made = await sendSource(api, gmailUrl, {
      method: 'PUT',
      path: `${DRAFTS}/${draftId}`,
      source: await composeToBuffer(next, { keepsBcc: true }),
      isDraft: true,
      isRepeatable: true,
      ...(threadId ? { threadId } : {}),
    })
    now = messageOf(made)
  }
  const isStarred = labelsOf(now).includes('STARRED')
  const wanted = starred ?? wasStarred
  if (wanted !== isStarred) await star(reader, now, wanted)
}

async function star(reader: MessageReader, message: JsonObject, isOn: boolean): Promise<void> {
  const id = stringField(message, 'id') ?? ''
  if (!isGmailId(id)) throw malformed()
  await reader.api.send({
    method: 'POST',
    url: at(reader.gmailUrl, `/gmail/v1/users/me/messages/${id}/modify`),
    headers: JSON_TYPE,
    body: JSON.stringify(isOn ? { addLabelIds: ['STARRED'] } : { removeLabelIds: ['STARRED'] }),
  })
}

function toDraft(id: string, message: FullMessage): FullDraft {
  return { ...message, id, object: 'draft', unread: false }
}

function messageOf(draft: JsonObject): JsonObject {
  const message = draft['message']
  if (isJsonObject(message)) return message
  throw malformed()
}

function idOf(draft: JsonObject): string {
  const id = stringField(draft, 'id')
  if (id && isGmailId(id)) return id
  throw malformed()
}

function malformed(): ProviderError {
  return new ProviderError('malformed-response', 'Google answered a draft without its id or message.', {
    answered: true,
  })
}
