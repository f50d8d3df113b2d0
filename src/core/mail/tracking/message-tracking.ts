import { domainToASCII } from 'node:url'
import { appError } from '../../../contract/errors.ts'
import type { TrackingRequest } from '../../../contract/outgoing.ts'
import { trackHtml } from '../../../formats/html/track-html.ts'
import { unixSeconds, type Clock } from '../../../kit/clock.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { MessageTracking, PreparedTracking } from '../../ports/mail-services.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { Database } from '../../ports/stores.ts'
import type { Vault } from '../../ports/vault.ts'
import { FIRST_LOOK_MS } from './reply-pace.ts'
import { sealLinks } from './tracked-links.ts'
import { writeToken } from './tracking-token.ts'
import type { TrackingMode } from './visitor.ts'

/** What tracking is made of. */
export interface TrackingDeps {
  readonly database: Database
  readonly vault: Vault
  readonly ids: Ids
  readonly clock: Clock
  readonly mode: TrackingMode
  /** The address recipients reach this server at, as the operator set it; undefined where he has not. */
  readonly publicUrl: string | undefined
}

/** Of one message (contract/email.md 5.4). */
const MAX_LINKS = 100
const TAG_BYTES = 16

/** Makes what sending needs of tracking: marks in the body, and what is kept about them. */
export function createMessageTracking(deps: TrackingDeps): MessageTracking {
  return {
    check: (options) => {
      check(deps, options)
    },
    async prepare(grant, { body, isPlaintext }, options) {
      check(deps, options)
      const tracking = { id: deps.ids.token(TAG_BYTES), options, links: [] }
      const marksBody = !isPlaintext && (options.opens === true || options.links === true)
      if (!marksBody) return { body, tracking }
      const { html, links } = mark(deps, body, tracking)
      if (links.length > MAX_LINKS) {
        throw appError('api.tracking_error', `A message with more than ${MAX_LINKS} links cannot be tracked.`)
      }
      const marked = { ...tracking, links }
      // Before it leaves: a message whose links lead nowhere would be worse than one that is not counted.
      await deps.database.transaction(async ({ grants, tracking: store }) => {
        if (!(await grants.hold(grant.id))) throw appError('grant.not_found')
        await store.insert(bodyOf(deps, grant, marked))
      })
      return { body: html, tracking: marked }
    },
    async sent(grant, tracking, { id, threadId, wire }) {
      await deps.database.transaction(async ({ grants, tracking: store, replyWatches }) => {
        if (!(await grants.hold(grant.id))) return
        await store.markSent(bodyOf(deps, grant, tracking), id)
        if (tracking.options.thread_replies !== true || threadId === '') return
        const watch = {
          id: tracking.id,
          applicationId: grant.applicationId,
          grantId: grant.id,
          threadId,
          messageId: id,
          sentAt: wire.date ?? unixSeconds(deps.clock),
          label: tracking.options.label ?? '',
        }
        await replyWatches.insert(watch, FIRST_LOOK_MS)
      })
    },
    optionsOf: (grant, messageIds) => deps.database.stores.tracking.optionsOf(grant.id, messageIds),
  }
}

function bodyOf(deps: TrackingDeps, grant: GrantRecord, { id, options, links }: PreparedTracking) {
  return {
    id,
    applicationId: grant.applicationId,
    grantId: grant.id,
    options,
    sealedLinks: sealLinks(deps.vault, id, grant.applicationId, links),
  }
}

/** @throws AppError `api.tracking_error` */
function check({ mode, publicUrl }: TrackingDeps, options: TrackingRequest): void {
  if (mode === 'off') {
    throw appError('api.tracking_error', 'Tracking is switched off on this server (GRANTWAY_TRACKING).')
  }
  const { domain_name: domain, opens, links } = options
  if (domain !== undefined && hostOf(domain) === null) {
    throw appError('api.tracking_error', 'tracking_options.domain_name must be a domain name.')
  }
  if ((opens === true || links === true) && domain === undefined && publicUrl === undefined) {
    throw appError(
      'api.tracking_error',
      'Opens and links need an address that recipients can reach: the operator of this server has to set ' +
        'GRANTWAY_PUBLIC_URL, or give tracking_options.domain_name.',
    )
  }
}

function mark({ vault, publicUrl }: TrackingDeps, body: string, { id, options }: PreparedTracking) {
  const base = baseOf(publicUrl, options.domain_name)
  const linkUrl = (link: number) => `${base}/t/l/${writeToken(vault, { kind: 'link', id, link })}`
  return trackHtml(body, {
    ownPrefix: `${base}/t/l/`,
    ...(options.opens === true
      ? { imageUrl: `${base}/t/o/${writeToken(vault, { kind: 'open', id })}.gif` }
      : {}),
    ...(options.links === true ? { linkUrl } : {}),
  })
}

/** An application's own domain stands for the host of the public address; its path stays. */
function baseOf(publicUrl: string | undefined, domain: string | undefined): string {
  const url = new URL(publicUrl ?? 'https://localhost')
  const origin = domain === undefined ? url.origin : `https://${hostOf(domain) ?? ''}`
  // It stands in attributes, with quotes or without: nothing in it may end one.
  const path = url.pathname.replace(/[^A-Za-z0-9/._~%-]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
  return `${origin}${path.replace(/\/+$/, '')}`
}

/** A host name of at least two labels, in its ASCII form; null for anything else. */
function hostOf(domain: string): string | null {
  // What is not part of a host would be cut off, not refused.
  const host = /[\s/?#:@%\\[\]]/.test(domain) ? '' : domainToASCII(domain)
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  return new RegExp(`^(?:${label}\\.)+(?=[a-z])${label}$`).test(host) ? host : null
}
