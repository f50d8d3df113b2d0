import { applyFields } from './fields-mask.ts'
import { json, notFound } from './reply.ts'
import { type Caller, holds, missingScope } from './caller.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

const SCOPES = ['calendar', 'calendar.readonly', 'calendar.events', 'calendar.events.readonly']

/** Answers the reading part of the Calendar API: calendar list, events list and get. */
export function calendarApi(caller: Caller, request: SandboxRequest): SandboxReply {
  if (!holds(caller, SCOPES)) return missingScope()
  const { calendars, email } = caller.user
  const query = request.url.searchParams
  const shown = (body: unknown) => json(applyFields(body, query.get('fields')))
  const path = request.url.pathname.slice('/calendar/v3/'.length).split('/').map(decodeURIComponent)
  const find = (id: string | undefined) =>
    calendars.find(({ calendar }) => calendar.id === (id === 'primary' ? email : id))
  if (path[0] === 'users' && path[2] === 'calendarList') {
    if (path[3] === undefined)
      return shown({ kind: 'calendar#calendarList', items: calendars.map(({ calendar }) => calendar) })
    const one = find(path[3])
    return one ? shown(one.calendar) : notFound()
  }
  const found = path[0] === 'calendars' ? find(path[1]) : undefined
  if (!found) return notFound()
  if (path[2] === undefined) return shown(found.calendar)
  if (path[2] !== 'events') return notFound()
  if (path[3] !== undefined) {
    const event = found.events.find(({ id }) => id === path[3])
    return event ? shown(event) : notFound()
  }
  const events = found.events.filter((event) => inside(event, query.get('timeMin'), query.get('timeMax')))
  return shown({
    kind: 'calendar#events',
    summary: found.calendar['summary'],
    timeZone: 'Europe/Berlin',
    items: events,
  })
}

function inside(
  event: { readonly [field: string]: unknown },
  timeMin: string | null,
  timeMax: string | null,
): boolean {
  const start = timeOf(event['start'])
  const end = timeOf(event['end'])
  return (timeMin === null || end > Date.parse(timeMin)) && (timeMax === null || start < Date.parse(timeMax))
}

function timeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return Number.NaN
  if ('dateTime' in value) return Date.parse(String(value.dateTime))
  return 'date' in value ? Date.parse(String(value.date)) : Number.NaN
}
