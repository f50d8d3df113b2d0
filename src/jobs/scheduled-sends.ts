import type { ConnectorId, GrantId } from '../contract/ids.ts'
import type { ClaimedSend } from '../core/ports/mail-stores-scheduled.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

/** How long a message that another process took in, or a clock that moved, waits to be seen. */
const EVERY_MS = 5_000
/** How soon it looks again while something due had no room. */
const BUSY_MS = 250
const SOONEST_MS = 20
/** Longer than it takes from a claim to the note that the provider is asked. */
const HOLD_MS = 5 * 60_000
const MOST_IN_ALL = 64
const MOST_PER_GRANT = 2
const GRANTS_PAGE = 64

/**
 * Sends scheduled messages when they are due, mailbox by mailbox: a slow one has two at once, and those of one connector
 * at most half of the room that is free. What was due while the server was down is sent when it is up again.
 *
 * A message is sent by one process: it is claimed, then noted as being sent, then sent. A claim of a process that is gone
 * is free at once; what such a process was sending is closed, as nobody knows what became of it.
 */
export function startScheduledSends(deps: Pick<JobDeps, 'database' | 'scheduledSending' | 'log'>): Loop {
  const { stores, liveness } = deps.database
  const sends = stores.scheduledSends
  const ofGrant = new Map<GrantId, number>()
  const ofConnector = new Map<ConnectorId, number>()
  const running = new Set<Promise<void>>()
  /** Ids of those that are worked on. */
  const inHand = new Set<string>()
  let nextTurn: NodeJS.Timeout | undefined

  const loop = startLoop({ name: 'scheduled-sends', log: deps.log, everyMs: EVERY_MS, run })
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop()
      clearTimeout(nextTurn)
      // A send that has begun is not broken off: nobody would know what became of it.
      await Promise.all(running)
    },
  }

  async function run(signal: AbortSignal): Promise<boolean> {
    clearTimeout(nextTurn)
    await takeUpFromTheDead(signal)
    const isBusy = await beginDue(signal)
    const dueInMs = isBusy ? BUSY_MS : await sends.nextDueInMs()
    if (dueInMs !== null && dueInMs < EVERY_MS && !signal.aborted) {
      nextTurn = setTimeout(() => loop.wake(), Math.max(dueInMs, SOONEST_MS))
      nextTurn.unref()
    }
    return false
  }

  async function takeUpFromTheDead(signal: AbortSignal): Promise<void> {
    for (const holder of await sends.holders()) {
      if (signal.aborted) return
      if (holder === liveness.self) await closeForgotten()
      if (await liveness.isAlive(holder)) continue
      const released = await sends.release(holder)
      if (released > 0) deps.log.info({ holder, released }, 'scheduled_sends.released')
      for (const send of await sends.underWay(holder)) {
        if (await liveness.mayAnswer({ holder, startedAtMs: send.sendingAtMs })) continue
        await deps.scheduledSending.abandon(send)
        deps.log.warn({ grantId: send.grantId, scheduleId: send.id }, 'scheduled_send.abandoned')
      }
    }
  }

  /** What this process was sending and does not work on any more: what became of it could not be written down. */
  async function closeForgotten(): Promise<void> {
    const before = new Set(inHand)
    for (const send of await sends.underWay(liveness.self)) {
      if (before.has(send.id) || inHand.has(send.id)) continue
      await deps.scheduledSending.abandon(send)
      deps.log.error({ grantId: send.grantId, scheduleId: send.id }, 'scheduled_send.forgotten')
    }
  }

  /** @returns whether something due had no room */
  async function beginDue(signal: AbortSignal): Promise<boolean> {
    const busy = [...ofGrant].flatMap(([grantId, count]) => (count >= MOST_PER_GRANT ? [grantId] : []))
    const due = await sends.dueGrants(busy, GRANTS_PAGE)
    let isBusy = busy.length > 0 || due.length === GRANTS_PAGE
    for (const { grantId, connectorId } of due) {
      if (signal.aborted) return false
      const free = MOST_IN_ALL - running.size
      const room = Math.min(
        MOST_PER_GRANT - (ofGrant.get(grantId) ?? 0),
        Math.ceil((free + (ofConnector.get(connectorId) ?? 0)) / 2) - (ofConnector.get(connectorId) ?? 0),
      )
      if (free <= 0 || room <= 0) {
        isBusy = true
        continue
      }
      const request = { grantId, limit: room, holder: liveness.self, holdMs: HOLD_MS }
      const claimed = await sends.claim(request)
      if (claimed.length === room) isBusy = true
      for (const send of claimed) begin(connectorId, send)
    }
    return isBusy
  }

  function begin(connectorId: ConnectorId, send: ClaimedSend): void {
    add(ofGrant, send.grantId, 1)
    add(ofConnector, connectorId, 1)
    inHand.add(send.id)
    const work = deps.scheduledSending
      .send(send)
      .catch((error: unknown) => {
        // Before the note that the provider is asked, the claim runs out; after it, the next run closes it.
        deps.log.error({ grantId: send.grantId, scheduleId: send.id, err: error }, 'scheduled_send.broken')
      })
      .then(() => {
        running.delete(work)
        inHand.delete(send.id)
        add(ofGrant, send.grantId, -1)
        add(ofConnector, connectorId, -1)
      })
    running.add(work)
  }
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const left = (counts.get(key) ?? 0) + by
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}
