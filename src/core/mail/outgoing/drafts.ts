import { appError } from '../../../contract/errors.ts'
import type { FullDraft, WireDraft } from '../../../contract/message.ts'
import type { TrackingRequest } from '../../../contract/outgoing.ts'
import { ProviderError } from '../../../kit/provider-error.ts'
import type { GrantSession } from '../../ports/grant-session.ts'
import type { OutgoingService } from '../../ports/mail-services.ts'
import type { DraftsPort } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { RequestContext } from '../../ports/services.ts'
import { changeOf } from './draft-change.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { prepareMessage } from './prepare-message.ts'
import { presentTracking } from './sent-message.ts'
import { mergeTracking, readTracking } from './tracking-request.ts'

/** Providers take so many reads of one account at once. */
const AT_ONCE = 4

type DraftCases = Omit<OutgoingService, 'send' | 'sendRaw' | 'sendDraft'>

/** Drafts: at the provider, but for metadata and tracking options, which this server keeps. */
export function createDraftCases(deps: OutgoingDeps): DraftCases {
  const draftsOf = (grant: GrantRecord) => deps.access.capability(grant, 'drafts', 'have drafts')
  const { draftTracking } = deps.database.stores

  async function withExtras(grant: GrantRecord, drafts: readonly FullDraft[]): Promise<WireDraft[]> {
    const ids = drafts.map(({ id }) => id)
    if (ids.length === 0) return []
    const [metadata, tracking] = await Promise.all([
      deps.metadata.of(grant, 'draft', ids),
      draftTracking.find(grant.id, ids),
    ])
    return drafts.map((draft) => {
      const kept = metadata.get(draft.id)
      const options = tracking.get(draft.id)
      return {
        ...draft,
        ...(kept ? { metadata: kept } : {}),
        ...(options ? { tracking_options: presentTracking(options) } : {}),
      }
    })
  }

  async function oneWithExtras(grant: GrantRecord, draft: FullDraft): Promise<WireDraft> {
    const [shown] = await withExtras(grant, [draft])
    return shown ?? draft
  }

  /** @throws AppError 400 */
  async function changedTracking(grant: GrantRecord, id: string, change: TrackingRequest) {
    const known = (await draftTracking.find(grant.id, [id])).get(id)
    const options = mergeTracking(known, change)
    if (options) deps.tracking.check(options)
    return options
  }

  return {
    async listDrafts(grant, { pageToken, limit, metadataPair, ...filter }, context) {
      const drafts = draftsOf(grant)
      const scope = { grantId: grant.id, route: 'drafts', filter: { ...filter, metadataPair } }
      const cursor = deps.access.openToken(scope, pageToken)
      const page =
        metadataPair === undefined
          ? await deps.sessions.use(grant, context, (session) =>
              drafts.list(session, { ...filter, limit, ...cursor }),
            )
          : await pageOfPair(grant, drafts, metadataPair, { limit, ...cursor }, context)
      return deps.access.wrapped(scope, { ...page, items: await withExtras(grant, page.items) })
    },
    async findDraft(grant, id, context) {
      const drafts = draftsOf(grant)
      const found = await deps.sessions.use(grant, context, (session) => drafts.find(session, id, {}))
      return await oneWithExtras(grant, found)
    },
    async createDraft(grant, { body, files }, context) {
      const drafts = draftsOf(grant)
      const tracking = readTracking(body.tracking_options)
      if (tracking) deps.tracking.check(tracking)
      const message = await prepareMessage(deps, grant, { body, files })
      const draft = body.starred === undefined ? message : { ...message, starred: body.starred }
      const made = await deps.sessions.use(grant, context, (session) => drafts.create(session, draft))
      if (body.metadata) await deps.metadata.put(grant, 'draft', made.id, body.metadata)
      if (tracking) await draftTracking.put(grant, made.id, tracking)
      return await oneWithExtras(grant, made)
    },
    async updateDraft(grant, id, { body, files }, context) {
      const drafts = draftsOf(grant)
      if (body.metadata) deps.metadata.check(body.metadata)
      if (body.tracking_options) await changedTracking(grant, id, body.tracking_options)
      const leaving = await deps.scheduler.leavingDrafts(grant)
      const changed = await deps.sessions.use(grant, context, async (session) => {
        // A draft may be named in other ways than its id.
        if (leaving.size > 0 && leaving.has((await drafts.find(session, id, {})).id)) throw tooLate()
        const change = await changeOf(deps, { grant, session, drafts, id }, { body, files })
        return Object.keys(change).length === 0
          ? await drafts.find(session, id, {})
          : await drafts.update(session, id, change)
      })
      if (body.metadata) await deps.metadata.put(grant, 'draft', changed.id, body.metadata)
      if (body.tracking_options) {
        const options = await changedTracking(grant, changed.id, body.tracking_options)
        await draftTracking.put(grant, changed.id, options ?? null)
      }
      return await oneWithExtras(grant, changed)
    },
    async deleteDraft(grant, id, context) {
      const drafts = draftsOf(grant)
      await deps.sessions.use(grant, context, (session) => drafts.delete(session, id))
      await forgetDraft(deps, grant, id)
    },
  }

  /** Drafts that carry a pair of metadata; those that are gone at the provider are left out. */
  async function pageOfPair(
    grant: GrantRecord,
    drafts: DraftsPort,
    pair: string,
    page: { readonly limit: number; readonly cursor?: string },
    context: RequestContext,
  ) {
    const found = await deps.metadata.withPair(grant, 'draft', pair, page)
    const items: FullDraft[] = []
    await deps.sessions.use(grant, context, async (session) => {
      for (let at = 0; at < found.items.length; at += AT_ONCE) {
        const ids = found.items.slice(at, at + AT_ONCE)
        const some = await Promise.all(ids.map((id) => findOrNull(drafts, session, id)))
        items.push(...some.filter((draft) => draft !== null))
      }
    })
    return { items, ...(found.nextCursor === undefined ? {} : { nextCursor: found.nextCursor }) }
  }
}

function tooLate() {
  return appError(
    'api.invalid_request_error',
    'A scheduled draft can be changed until 10 seconds before send_at: it is too late.',
  )
}

/** Removes what this server keeps about a draft. */
export async function forgetDraft(deps: OutgoingDeps, grant: GrantRecord, id: string): Promise<void> {
  await deps.metadata.remove(grant, 'draft', id)
  await deps.database.stores.draftTracking.put(grant, id, null)
}

async function findOrNull(drafts: DraftsPort, session: GrantSession, id: string): Promise<FullDraft | null> {
  try {
    return await drafts.find(session, id, {})
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not-found') return null
    throw error
  }
}
