import type { Logger } from '../../../kit/logger.ts'
import type { TrackingService, TrackingVisit } from '../../ports/mail-services.ts'
import { createHitCounter } from './hit-counter.ts'
import { createHitLimit } from './hit-limit.ts'
import type { TrackingDeps } from './message-tracking.ts'
import { openLinks } from './tracked-links.ts'
import { readToken } from './tracking-token.ts'
import { isUnattended, keptVisitor } from './visitor.ts'

/** Makes what answers recipients: the image and the links of tracked messages. */
export function createTrackingService(deps: TrackingDeps & { readonly log: Logger }): TrackingService {
  const counter = createHitCounter(deps)
  const fits = createHitLimit(deps.clock)

  function note(id: string, link: number | null, visit: TrackingVisit): void {
    if (deps.mode === 'off' || visit.isProbe || isUnattended(visit.userAgent, visit.purpose)) return
    if (!fits(visit.ip, id)) return
    counter.add({ id, link, atMs: deps.clock.nowMs(), visitor: keptVisitor(deps.mode, visit) })
  }

  return {
    opened(token, visit) {
      const read = readToken(deps.vault, 'open', token)
      if (read) note(read.id, null, visit)
    },
    async clicked(token, visit) {
      const read = readToken(deps.vault, 'link', token)
      if (read?.kind !== 'link') return null
      const row = await deps.database.stores.tracking.findLinks(read.id)
      if (!row) return null
      const link = (await openLinks(deps.vault, read.id, row))[read.link]
      const target = link === undefined ? null : URL.parse(link)
      if (!target) return null
      note(read.id, read.link, visit)
      return target.href
    },
    idle: () => counter.idle(),
  }
}
