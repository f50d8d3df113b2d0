/** Trigger names of grant events (contract/webhooks.md). */
export const GRANT_TRIGGERS = ['grant.created', 'grant.updated', 'grant.deleted', 'grant.expired'] as const
export type GrantTrigger = (typeof GRANT_TRIGGERS)[number]

/** Triggers that may be subscribed to and have a documented payload (contract/webhooks.md 6). */
const DOCUMENTED_TRIGGERS = [
  ...GRANT_TRIGGERS,
  'grant.imap_sync_completed',
  'message.created',
  'message.created.cleaned',
  'message.updated',
  'message.deleted',
  'message.send_success',
  'message.send_failed',
  'message.bounce_detected',
  'message.opened',
  'message.link_clicked',
  'thread.replied',
  'message.delivered',
  'message.bounced',
  'message.complaint',
  'message.rejected',
  'message.transactional.delivered',
  'message.transactional.bounced',
  'message.transactional.complaint',
  'message.transactional.rejected',
  'folder.created',
  'folder.updated',
  'folder.deleted',
  'calendar.created',
  'calendar.updated',
  'calendar.deleted',
  'event.created',
  'event.updated',
  'event.deleted',
  'contact.updated',
  'contact.deleted',
  'booking.created',
  'booking.pending',
  'booking.rescheduled',
  'booking.cancelled',
  'booking.reminder',
  'notetaker.created',
  'notetaker.updated',
  'notetaker.deleted',
  'notetaker.meeting_state',
  'notetaker.media',
] as const

/** Accepted in a subscription because clients send them; nothing is ever sent for them. */
const SILENT_TRIGGERS = [
  'message.opened.legacy',
  'message.link_clicked.legacy',
  'thread.replied.legacy',
  'message.intelligence.order',
  'message.intelligence.tracking',
  'message.intelligence.return',
  'message.intelligence.travel',
] as const

/** Sent under the subscription of the name without the suffix; not for subscribing (contract/webhooks.md 7). */
const IMPLIED_TRIGGERS = ['message.created.metadata', 'message.updated.metadata'] as const

/** Every trigger that has a sample. */
export type SampleTrigger = (typeof DOCUMENTED_TRIGGERS)[number] | (typeof IMPLIED_TRIGGERS)[number]

const SUBSCRIBABLE: ReadonlySet<string> = new Set([...DOCUMENTED_TRIGGERS, ...SILENT_TRIGGERS])
const IMPLIED: ReadonlySet<string> = new Set(IMPLIED_TRIGGERS)

/** Names that stand for another trigger: the vendor's CLI offers the first, which its API never had. */
const ALIASES: { readonly [name: string]: string } = { 'contact.created': 'contact.updated' }

/**
 * Reads a name of `trigger_types`: truncated names (which the Node SDK lists) and aliases stand for a trigger.
 * @returns the trigger that is meant; undefined for a name that may not be subscribed to
 */
export function subscribedTrigger(name: string): string | undefined {
  const aliased = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
  const base = aliased ?? (name.startsWith('message.') ? name.replace(/\.truncated$/, '') : name)
  return SUBSCRIBABLE.has(base) ? base : undefined
}

/** The triggers of events that a destination with these `trigger_types` gets. */
export function matchedTriggers(triggerTypes: readonly string[]): readonly string[] {
  const bases = triggerTypes.flatMap((name) => subscribedTrigger(name) ?? [])
  const implied = bases.map((base) => `${base}.metadata`).filter((name) => IMPLIED.has(name))
  return [...new Set([...bases, ...implied])]
}
