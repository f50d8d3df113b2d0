import type { Logger } from '../../../kit/logger.ts'
import type { TrackedMessage, TrackingActivity } from '../../ports/mail-stores-tracking.ts'
import type { Stores } from '../../ports/stores.ts'
import { countClick, countOpen, type Hit } from './count-hits.ts'
import type { TrackingDeps } from './message-tracking.ts'
import { openLinks } from './tracked-links.ts'
import { clickedEvent, openedEvent } from './tracking-events.ts'

/** Counts opens and clicks behind the answers. */
export interface HitCounter {
  /** Nobody waits for it. */
  add(hit: Hit): void
  /** Resolves when everything so far has been counted. */
  idle(): Promise<void>
}

const BATCH = 100
/** More than this many wait only when the database is away; the newest are dropped then. */
const MOST_WAITING = 10_000
/** What recipients did is kept and told that long after the message was sent. */
export const COUNTED_MS = 90 * 24 * 60 * 60 * 1000

/**
 * Makes the counter: while one batch is written the next one gathers, so a burst is few transactions. Each holds the
 * counts and their events. What a process that dies had not written yet is lost; recipients got their answer.
 */
export function createHitCounter(deps: TrackingDeps & { readonly log: Logger }): HitCounter {
  let waiting: Hit[] = []
  let writing: Promise<void> | null = null

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      waiting = waiting.slice(BATCH)
      try {
        await count(batch)
      } catch (error) {
        deps.log.warn({ err: error, hits: batch.length }, 'tracking.hits_lost')
      }
    }
  }

  async function count(hits: readonly Hit[]): Promise<void> {
    const links = await linksOf(hits)
    await deps.database.transaction(async (stores) => {
      const ids = [...new Set(hits.map(({ id }) => id))]
      for (const message of await stores.tracking.lockSent(ids, COUNTED_MS)) {
        const own = hits.filter(({ id }) => id === message.id)
        await countOf(stores, message, own, links.get(message.id) ?? [])
      }
    })
  }

  /** Opening a seal may read keys: not within the transaction. */
  async function linksOf(hits: readonly Hit[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const ids = new Set(hits.flatMap(({ id, link }) => (link === null ? [] : [id])))
    const links = new Map<string, readonly string[]>()
    for (const id of ids) {
      const row = await deps.database.stores.tracking.findLinks(id)
      if (row) links.set(id, await openLinks(deps.vault, id, row))
    }
    return links
  }

  async function countOf(
    { tracking, outbox }: Stores,
    message: TrackedMessage,
    hits: readonly Hit[],
    links: readonly string[],
  ): Promise<void> {
    let { activity } = message
    for (const hit of hits) {
      const at = Math.floor(hit.atMs / 1000)
      const counted = countHit(activity, hit, links)
      if (!counted) continue
      activity = counted
      const event =
        hit.link === null
          ? openedEvent(deps.ids, message, counted, at)
          : clickedEvent(deps.ids, message, counted, at, links)
      await outbox.insert(event)
    }
    if (activity && activity !== message.activity) await tracking.putActivity(message.id, activity)
  }

  return {
    add(hit) {
      if (waiting.length >= MOST_WAITING) return
      waiting.push(hit)
      writing ??= writeAll().finally(() => {
        writing = null
      })
    },
    idle: async () => {
      while (writing) await writing
    },
  }
}

function countHit(
  before: TrackingActivity | null,
  hit: Hit,
  links: readonly string[],
): TrackingActivity | null {
  if (hit.link === null) return countOpen(before, hit)
  const link = links[hit.link]
  return link === undefined ? null : countClick(before, hit, links.indexOf(link))
}
