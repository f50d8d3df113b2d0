import { randomUUID } from 'node:crypto'
import type { FullDraft } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { InMailbox as InSharedMailbox, Page } from '../../core/ports/mail.ts'
import type { DraftChange, DraftQuery, DraftsPort, OutgoingDraft } from '../../core/ports/outgoing.ts'
import { domainOf } from '../../formats/addresses.ts'
import { composeToBuffer } from '../../formats/mime/compose-message.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { changedContent, contentOfDraft } from './draft-content.ts'
import { DraftLocks } from './draft-locks.ts'
import { readStored, removeDraft, storeDraft } from './draft-versions.ts'
import { locateDraft, notFound, openDrafts, presentDraft, toDraft } from './find-draft.ts'
import type { Found } from './find-message.ts'
import { encodeFolderId } from './folder-id.ts'
import { refuseShared } from './folders.ts'
import { listMessages, type MailboxView, pathOf, publicId, unknownFolder } from './list-messages.ts'
import { updateMessage } from './message-changes.ts'
import { encodePlaceId } from './message-id.ts'
import { openFolder } from './open-folder.ts'
import { ancestorsOf, contentOf } from './outgoing-content.ts'
import { sendDraft, SUBMIT_PENDING } from './send-draft.ts'
import type { SendDeps } from './send.ts'

/**
 * Makes the port of drafts: the messages of the folder with the purpose `\Drafts`. IMAP can't change a message, so a
 * changed draft is stored anew under its Message-ID, which is its id, and the version before is removed.
 */
export function createDrafts(deps: SendDeps): DraftsPort {
  const locks = new DraftLocks()
  const reading = async <T>(session: GrantSession, work: (view: MailboxView) => Promise<T>) =>
    (await deps.openMailbox(session, 'use'))(session.signal, work)
  const changing = async <T>(session: GrantSession, work: (view: MailboxView) => Promise<T>) =>
    (await deps.openMailbox(session, 'change'))(session.signal, work)

  return {
    list: (session, query) => reading(session, (view) => listDrafts(view, query)),
    find: (session, id, options) => reading(session, (view) => findDraft(view, id, options)),
    async create(session, draft) {
      const { replyToMessageId } = draft
      const ancestors =
        replyToMessageId === undefined
          ? []
          : await reading(session, (view) => ancestorsOf(view, replyToMessageId))
      const content = contentOf(draft, session.email, ancestors)
      const source = await composeToBuffer(content, { keepsBcc: true })
      return changing(session, async (view) => {
        const message = { source, flags: flagsOf([], draft.starred), date: draft.date }
        return presentDraft(view, await storeDraft(view, message, draft.messageId))
      })
    },
    update: (session, id, change) =>
      locks.changing(keyOf(session, id), async () => {
        const { starred, ...written } = change
        if (Object.keys(written).length === 0) {
          return changing(session, (view) => markDraft(view, id, starred))
        }
        return updateDraft(deps, session, id, change)
      }),
    delete: (session, id) =>
      locks.changing(keyOf(session, id), () =>
        changing(session, async (view) => removeDraft(view, await locateDraft(view, id))),
      ),
    send: (session, id) => locks.sending(keyOf(session, id), () => sendDraft(deps, session, id)),
  }
}

function keyOf({ grantId }: GrantSession, id: string): string {
  return JSON.stringify([grantId, id.replace(/^<(.*)>$/, '$1')])
}

async function listDrafts(view: MailboxView, { unread, ...query }: DraftQuery): Promise<Page<FullDraft>> {
  const drafts = await openDrafts(view)
  if (query.in !== undefined && pathOf(query.in) !== drafts?.folder.path) {
    if (!(await openFolder(view.client, pathOf(query.in)))) throw unknownFolder()
    return { items: [] }
  }
  // Nothing in there is new to who wrote it: it is never shown as unread.
  if (!drafts || unread === true) return { items: [] }
  const page = await listMessages(view, {
    ...query,
    in: encodeFolderId(drafts.folder.path),
    fields: 'standard',
  })
  return { ...page, items: page.items.flatMap((item) => ('subject' in item ? [toDraft(item)] : [])) }
}

async function findDraft(view: MailboxView, id: string, options: InSharedMailbox): Promise<FullDraft> {
  refuseShared(options.sharedFrom)
  return presentDraft(view, await locateDraft(view, id))
}

async function markDraft(view: MailboxView, id: string, starred: boolean | undefined): Promise<FullDraft> {
  const { folder, row } = await locateDraft(view, id)
  if (starred !== undefined)
    await updateMessage(view, encodePlaceId({ ...folder, uid: row.uid }), { starred })
  return presentDraft(view, await locateDraft(view, id))
}

/** Writes a draft anew. Whatever fails before the new version is stored leaves the old one as it was. */
async function updateDraft(
  deps: SendDeps,
  session: GrantSession,
  id: string,
  change: DraftChange,
): Promise<FullDraft> {
  const { replyToMessageId } = change
  const old = await (await deps.openMailbox(session, 'use'))(session.signal, async (view) => {
    const found = await locateDraft(view, id)
    const stored = await readStored(view, found)
    const heads = await view.content.heads(view.client, view.accountKey, found.folder, [found.row.uid], false)
    const head = heads.get(found.row.uid)
    const shownId = head && publicId(view.index, found, head)
    const ancestors = replyToMessageId === undefined ? undefined : await ancestorsOf(view, replyToMessageId)
    return { ...stored, found, shownId, ancestors }
  })
  const facts = {
    email: session.email,
    // One that is missing, or belongs to another mail, can't be its id.
    messageId: old.shownId?.startsWith('<')
      ? old.shownId
      : `<${randomUUID()}@${domainOf(session.email) || 'localhost'}>`,
    date: unixSeconds(deps.clock),
  }
  const content = changedContent(contentOfDraft(old.source, facts), change, old.ancestors)
  const source = await composeToBuffer(content, { keepsBcc: true })
  const message = { source, flags: flagsOf(old.flags, change.starred), date: facts.date }
  return (await deps.openMailbox(session, 'change'))(session.signal, async (view) => {
    // Who sent or removed it meanwhile would see it come back.
    await mustBeThere(view, old.found)
    const stored = await storeDraft(view, message, facts.messageId)
    await removeDraft(view, old.found)
    if (id.startsWith('m.')) view.moved.note(view.accountKey, placeOf(old.found), placeOf(stored))
    return presentDraft(view, stored)
  })
}

async function mustBeThere(view: MailboxView, { folder, row }: Found): Promise<void> {
  const drafts = await openDrafts(view)
  const isSame = drafts?.folder.path === folder.path && drafts.folder.uidValidity === folder.uidValidity
  if (!isSame || !drafts.rows.some((other) => other.uid === row.uid)) throw notFound()
}

/** Flags of a draft that is stored: marks of the version before stay, but for those of its own way. */
function flagsOf(before: readonly string[], starred: OutgoingDraft['starred']): readonly string[] {
  const own = ['\\draft', '\\seen', '\\recent', '\\deleted', SUBMIT_PENDING.toLowerCase()]
  const kept = before.filter((flag) => {
    const name = flag.toLowerCase()
    return !own.includes(name) && (name !== '\\flagged' || starred === undefined)
  })
  return ['\\Draft', '\\Seen', ...(starred === true ? ['\\Flagged'] : []), ...kept]
}

function placeOf({ folder, row }: Found) {
  return { path: folder.path, uidValidity: folder.uidValidity, uid: row.uid }
}
