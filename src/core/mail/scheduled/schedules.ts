import { appError } from '../../../contract/errors.ts'
import type { WireSchedule } from '../../../contract/schedule.ts'
import type { ScheduleService } from '../../ports/mail-services.ts'
import type { ScheduledSend } from '../../ports/mail-stores-scheduled.ts'
import type { Database } from '../../ports/stores.ts'

/** A schedule is found that long after it was sent, or has failed (contract/email.md 5.1). */
export const KEPT_MS = 72 * 60 * 60 * 1000
/** A message can be stopped until so long before it is due. */
const STOP_MARGIN_MS = 10_000
/** More than these in one mailbox are not listed. */
const MOST_LISTED = 10_000

/** Reads and stops scheduled messages. All of it is in this server's database: no provider is asked. */
export function createScheduleService({ database }: { readonly database: Database }): ScheduleService {
  const { scheduledSends } = database.stores
  return {
    async list(grant) {
      return (await scheduledSends.list(grant.id, KEPT_MS, MOST_LISTED)).map(present)
    },
    async find(grant, id) {
      const found = await scheduledSends.find(grant.id, id, KEPT_MS)
      if (!found) throw unknownSchedule()
      return present(found)
    },
    async stop(grant, id) {
      // A draft at the provider stays there: it is the user's, and may have been edited.
      const stopped = await database.transaction(async (stores) => {
        if (!(await stores.scheduledSends.stop(grant.id, id, STOP_MARGIN_MS))) return false
        await stores.contents.removeOf(id)
        return true
      })
      if (stopped) return
      if (!(await scheduledSends.find(grant.id, id, KEPT_MS))) throw unknownSchedule()
      throw appError(
        'api.invalid_request_error',
        'The message can be stopped until 10 seconds before send_at: it is too late.',
      )
    },
  }
}

function unknownSchedule() {
  return appError('not_found_error', 'There is no such scheduled message.')
}

function present({ id, state, description, closedAt }: ScheduledSend): WireSchedule {
  const status = {
    waiting: { code: 'pending', description: description || 'The message waits to be sent.' },
    sending: { code: 'pending', description: 'The message is being sent.' },
    success: { code: 'success', description: description || 'The message was sent.' },
    failed: { code: 'failed', description },
  } as const satisfies Record<ScheduledSend['state'], WireSchedule['status']>
  return {
    schedule_id: id,
    status: status[state],
    ...(closedAt === null ? {} : { close_time: closedAt }),
  }
}
