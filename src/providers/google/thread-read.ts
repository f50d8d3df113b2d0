import type { FullThread } from '../../contract/thread.ts'
import type { ThreadQuery } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { batchGet } from './batch-get.ts'
import { draftIdsOf } from './draft-ids.ts'
import { isGmailId, type MessageDetail, threadOutlinePath, threadPath } from './message-detail.ts'
import { mapMessage, type MessageReader, readMessages } from './read-messages.ts'
import { hasFile } from './thread-filter.ts'
import { isDraft, readThreadContent, type ThreadContent, threadToWire } from './thread-to-wire.ts'

/** Threads have several messages each: fewer per batch than of those. */
const BATCH_SIZE = 25

/** A thread, and whether its messages came with their bodies. */
export interface FoundThread extends ThreadContent {
  readonly hasBodies: boolean
}

/** Reads threads by id, in that order; what is gone is left out. */
export async function readThreads(
  reader: MessageReader,
  ids: readonly string[],
  detail: MessageDetail,
): Promise<readonly FoundThread[]> {
  const wanted = ids.filter(isGmailId)
  const found: FoundThread[] = []
  for (let start = 0; start < wanted.length; start += BATCH_SIZE) {
    found.push(...(await readChunk(reader, wanted.slice(start, start + BATCH_SIZE), detail)))
  }
  return found
}

/** Threads that are too large together are read without bodies: the one that is shown comes by itself then. */
async function readChunk(
  reader: MessageReader,
  ids: readonly string[],
  detail: MessageDetail,
): Promise<readonly FoundThread[]> {
  const read = async (pathOf: (id: string) => string, hasBodies: boolean) =>
    (await batchGet(reader.api, ids.map(pathOf), { gmailUrl: reader.gmailUrl })).flatMap((thread) => {
      const content = thread && readThreadContent(thread, reader.grantId)
      return content ? [{ ...content, hasBodies }] : []
    })
  try {
    return await read((id) => threadPath(id, detail), detail === 'full')
  } catch (error) {
    if (!(error instanceof ProviderError) || error.details.reason !== 'answer_too_large') throw error
    return read(threadOutlinePath, false)
  }
}

/** How much of the messages of a thread must be read for what the client selected and what is checked here. */
export function threadDetailFor(
  query: Pick<ThreadQuery, 'select' | 'hasAttachment'>,
  isChecked: boolean,
): MessageDetail {
  const { select } = query
  const wants = (name: string) => !select || select.length === 0 || select.includes(name)
  if (wants('latest_draft_or_message') || wants('has_attachments') || query.hasAttachment !== undefined)
    return 'full'
  return isChecked || wants('participants') || wants('subject') ? 'metadata' : 'minimal'
}

/** Makes the threads, with their newest messages whole and the ids of their drafts. */
export async function finishThreads(
  reader: MessageReader,
  threads: readonly FoundThread[],
  detail: MessageDetail,
): Promise<FullThread[]> {
  const bare = detail === 'full' ? threads.filter(({ hasBodies }) => !hasBodies) : []
  const read = await readMessages(
    reader,
    bare.map(({ messages }) => messages[0].id),
    'full',
    'standard',
  )
  const draftIds = await idsOfDrafts(reader, threads)
  const finished: FullThread[] = []
  for (const thread of threads) {
    const [newest] = thread.messages
    const latest =
      detail !== 'full'
        ? newest
        : thread.hasBodies
          ? await mapMessage(reader, thread.newestResource, 'standard', 'full')
          : (read.find(({ id }) => id === newest.id) ?? newest)
    const hasAttachments = thread.messages.some(hasFile)
    finished.push(threadToWire(thread, { latest, draftIds, hasAttachments }, reader.grantId))
  }
  return finished
}

async function idsOfDrafts(
  { api, gmailUrl }: MessageReader,
  threads: readonly FoundThread[],
): Promise<ReadonlyMap<string, string>> {
  const drafts = threads.flatMap(({ messages }) => messages.filter(isDraft))
  if (drafts.length === 0) return new Map()
  return draftIdsOf(
    api,
    gmailUrl,
    drafts.map(({ id }) => id),
  ).catch((error: unknown) => {
    // gmail.metadata reads threads and no drafts: the ids of their messages name them, too.
    if (error instanceof ProviderError && error.kind === 'scope-missing') return new Map<string, string>()
    throw error
  })
}
