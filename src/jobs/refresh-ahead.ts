import type { ConnectorId } from '../contract/ids.ts'
import type { DueRefresh } from '../core/ports/grant-secret-store.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'
import { paceOf } from './refresh-pace.ts'

/** How long nothing due waits to be seen, where nothing was due before. */
const EVERY_MS = 5_000
/** How soon it looks again while something due had no room. */
const BUSY_MS = 100
/** Longer than a refresh takes: what a process that died has claimed is due again after it. */
const HOLD_MS = 60_000
const MOST_IN_ALL = 128
const MOST_PER_CONNECTOR = 32
const CONNECTORS_PAGE = 100

/**
 * Refreshes grants in the background when they are due: before their token ends where they are in use, every week
 * otherwise (design.md section 4). Due ones are claimed connector by connector, oldest first, within a rate that
 * all processes share, and nothing waits for a slow provider: one connector has at most half of the room that is
 * free.
 *
 * Refreshes survive the death of the process: a claim is over by itself, and a token call has its lease.
 */
export function startRefreshAhead(deps: JobDeps): Loop {
  const { rates, secrets, grants } = deps.database.stores
  const pace = paceOf(deps.refreshRate)
  const underWay = new Map<ConnectorId, number>()
  const running = new Set<Promise<void>>()
  let nextTurn: NodeJS.Timeout | undefined
  /** where to go on when the last turn had no room for those behind */
  let cursor = ''

  const loop = startLoop({ name: 'refresh-ahead', log: deps.log, everyMs: EVERY_MS, run })
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop()
      clearTimeout(nextTurn)
      await Promise.all(running)
    },
  }

  async function run(signal: AbortSignal): Promise<boolean> {
    clearTimeout(nextTurn)
    const againInMs = await beginDue(signal)
    if (againInMs !== null && !signal.aborted) {
      nextTurn = setTimeout(() => loop.wake(), againInMs)
      nextTurn.unref()
    }
    return false
  }

  /** @returns when to look again, null when nothing more is due */
  async function beginDue(signal: AbortSignal): Promise<number | null> {
    let againInMs: number | null = cursor === '' ? null : 0
    for (;;) {
      const page = await secrets.dueConnectors(cursor, CONNECTORS_PAGE)
      for (const connectorId of page) {
        if (running.size >= MOST_IN_ALL) return BUSY_MS
        if (signal.aborted) return null
        const moreInMs = await beginOf(connectorId)
        if (moreInMs !== null) againInMs = Math.min(againInMs ?? moreInMs, moreInMs)
        cursor = connectorId
      }
      if (page.length === CONNECTORS_PAGE) continue
      cursor = ''
      return againInMs
    }
  }

  /** Begins what there is room and rate for. @returns when this connector may have more, null when it has not */
  async function beginOf(connectorId: ConnectorId): Promise<number | null> {
    const room = Math.min(
      MOST_PER_CONNECTOR - (underWay.get(connectorId) ?? 0),
      Math.ceil((MOST_IN_ALL - running.size) / 2),
    )
    if (room <= 0) return BUSY_MS
    const { limit, windowMs } = pace
    const { granted, windowEndsInMs } = await rates.take(`refresh:${connectorId}`, limit, windowMs, room)
    const claimed =
      granted === 0 ? [] : await secrets.claimDue({ connectorId, limit: granted, holdMs: HOLD_MS })
    for (const due of claimed) begin(connectorId, due)
    if (granted < room) return windowEndsInMs + 1
    return claimed.length < granted ? null : BUSY_MS
  }

  function begin(connectorId: ConnectorId, due: DueRefresh): void {
    underWay.set(connectorId, (underWay.get(connectorId) ?? 0) + 1)
    const work = refresh(due)
      .catch((error: unknown) => {
        // Written down by the refresh, with the time of the next try; else the claim runs out.
        deps.log.debug({ grantId: due.grantId, err: error }, 'grant.refresh_ahead_failed')
      })
      .then(() => {
        running.delete(work)
        const left = (underWay.get(connectorId) ?? 1) - 1
        if (left > 0) underWay.set(connectorId, left)
        else underWay.delete(connectorId)
      })
    running.add(work)
  }

  async function refresh({ grantId, applicationId, version }: DueRefresh): Promise<void> {
    const grant = await grants.find(applicationId, grantId)
    // Deleted: its secret went with it.
    if (!grant) return
    if (grant.status === 'invalid' || grant.blocked) await secrets.unschedule([grantId], version)
    else await deps.accessTokens.refreshAhead(grant, version)
  }
}
