import type { FullThread } from '../../contract/thread.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { MessageChange, ThreadsPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { openGraph } from './api.ts'
import type { BatchStep } from './batch.ts'
import { type Conversation, readConversations, readWhole } from './conversations.ts'
import { graphBase } from './endpoints.ts'
import type { GraphDeps } from './graph-call.ts'
import { listThreads } from './list-threads.ts'
import { folderOf, patchOf, withChange } from './message-changes.ts'
import { checkQuery } from './message-query.ts'
import { messagePath, type MessageReader } from './read-messages.ts'
import { byNewest, type ThreadOwner, toThread } from './to-thread.ts'

/** Threads by Microsoft Graph: conversations, which Graph has no list of (contract/email.md 13.1). */
export function createGraphThreads(deps: GraphDeps): ThreadsPort {
  const base = graphBase(deps.endpoints)
  const readerOf = (session: GrantSession, sharedFrom: string | undefined): MessageReader => ({
    api: openGraph(deps, session, sharedFrom),
    grantId: session.grantId,
    base,
  })
  const ownerOf = async (
    session: GrantSession,
    { api, grantId }: MessageReader,
    sharedFrom: string | undefined,
  ): Promise<ThreadOwner> => {
    const roles = await deps.wellKnown.of(session, api)
    const address = (sharedFrom ?? session.email).toLowerCase()
    return { grantId, address, sentFolder: roles.idOf('sentitems') }
  }
  return {
    async list(session, query) {
      const folder = checkQuery({ ...query, fields: 'standard' })
      const reader = readerOf(session, query.sharedFrom)
      const owner = await ownerOf(session, reader, query.sharedFrom)
      return listThreads(reader, query, folder, owner)
    },
    async find(session, id, { sharedFrom }) {
      const reader = readerOf(session, sharedFrom)
      const conversation = await readConversation(reader, id)
      return wholeThread(reader, id, conversation, await ownerOf(session, reader, sharedFrom))
    },
    async update(session, id, change) {
      const folder = folderOf(change)
      const patch = patchOf(change)
      const reader = readerOf(session, change.sharedFrom)
      const conversation = await readConversation(reader, id)
      if (patch) {
        await changeEach(reader, conversation, (path) => ({ method: 'PATCH', url: path, body: patch }))
      }
      if (folder !== undefined) await moveEach(reader, conversation, folder)
      const owner = await ownerOf(session, reader, change.sharedFrom)
      return wholeThread(reader, id, withChanges(conversation, change), owner, change)
    },
    async delete(session, id, { sharedFrom }) {
      const reader = readerOf(session, sharedFrom)
      const conversation = await readConversation(reader, id)
      const trash = (await deps.wellKnown.of(session, reader.api)).idOf('deleteditems')
      const [first, ...rest] = conversation.filter(
        ({ message }) => !trash || !message.folders.includes(trash),
      )
      if (first) await moveEach(reader, [first, ...rest], 'deleteditems')
    },
  }
}

async function readConversation(reader: MessageReader, id: string): Promise<Conversation> {
  const conversation = (await readConversations(reader, [id])).get(id)
  if (conversation) return conversation
  const text = 'The mailbox has no such thread.'
  throw new ProviderError('not-found', text, {
    answered: true,
    providerBody: { code: 'ErrorItemNotFound', message: text },
  })
}

async function wholeThread(
  reader: MessageReader,
  id: string,
  conversation: Conversation,
  owner: ThreadOwner,
  change: MessageChange = {},
): Promise<FullThread> {
  const newest = conversation.toSorted(byNewest)[0] ?? conversation[0]
  const latest = (await readWhole(reader, [newest.message.id], undefined)).get(newest.message.id)
  return toThread(id, conversation, owner, latest ? withChange(latest, change) : undefined)
}

/** The state after the change: a list of Graph's may lag behind it. */
function withChanges([first, ...rest]: Conversation, change: MessageChange): Conversation {
  const changed = (one: Conversation[number]) => ({ ...one, message: withChange(one.message, change) })
  return [changed(first), ...rest.map(changed)]
}

async function moveEach(
  reader: MessageReader,
  conversation: Conversation,
  destinationId: string,
): Promise<void> {
  await changeEach(reader, conversation, (path) => ({
    method: 'POST',
    url: `${path}/move`,
    body: { destinationId },
  }))
}

/**
 * Changes each message of a thread. One that vanished meanwhile is none of it any more.
 * @throws ProviderError of the first failure, which says how many were changed; doing it again is harmless
 */
async function changeEach(
  { api }: MessageReader,
  conversation: Conversation,
  stepOf: (path: string) => BatchStep,
): Promise<void> {
  const outcomes = await api.runEach(conversation.map(({ message }) => stepOf(messagePath(api, message.id))))
  const failures = outcomes.filter(
    (outcome) => outcome instanceof ProviderError && outcome.kind !== 'not-found',
  )
  const [failure] = failures
  if (!(failure instanceof ProviderError)) return
  const done = outcomes.length - failures.length
  throw new ProviderError(
    failure.kind,
    `${done} of ${outcomes.length} messages of the thread were changed. ${failure.message}`,
    failure.details,
  )
}
