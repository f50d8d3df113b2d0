import { Type } from 'typebox'
import { single } from '../../contract/envelope.ts'
import { Schedule, ScheduleStopped } from '../../contract/schedule.ts'
import { Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

const OneSchedule = { grant_id: Type.String(), schedule_id: Type.String() }

/** Messages that wait to be sent (contract/email.md 5.1). */
export function scheduleRoutes(): readonly Route[] {
  const tag = 'Messages'
  const all = '/v3/grants/:grant_id/messages/schedules'
  const one = `${all}/:schedule_id`
  return [
    grantRoute('mail', {
      method: 'GET',
      url: all,
      operationId: 'listSchedules',
      summary: 'List scheduled messages, the soonest first; those sent or failed for another 72 hours',
      tag,
      params: { grant_id: Type.String() },
      query: { select: Select },
      response: Type.Object({ request_id: Type.String(), data: Type.Array(Schedule) }),
      handle: async ({ services }, grant) => ({ data: await services.schedules.list(grant) }),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: one,
      operationId: 'getSchedule',
      summary: 'Get a scheduled message',
      tag,
      params: OneSchedule,
      query: { select: Select },
      response: single(Schedule),
      handle: async ({ services, params }, grant) => ({
        data: await services.schedules.find(grant, params.schedule_id),
      }),
    }),
    grantRoute('mail', {
      method: 'DELETE',
      url: one,
      operationId: 'stopSchedule',
      summary:
        'Stop a scheduled message, until 10 seconds before send_at; a draft of use_draft stays a draft',
      tag,
      params: OneSchedule,
      status: 202,
      response: single(ScheduleStopped),
      handle: async ({ services, params }, grant) => {
        await services.schedules.stop(grant, params.schedule_id)
        return { data: { message: 'The scheduled message has been stopped: it will not be sent.' } }
      },
    }),
  ]
}
