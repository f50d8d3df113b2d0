import type { SeedCalendar } from '../types.ts'

/** Two calendars with a few events: timed, whole-day, recurring. */
export function seedCalendars(email: string): readonly SeedCalendar[] {
  const owner = { email, self: true }
  const event = (id: string, summary: string, more: object) => ({
    kind: 'calendar#event',
    etag: `"${id}"`,
    id,
    status: 'confirmed',
    summary,
    creator: owner,
    organizer: owner,
    iCalUID: `${id}@google.com`,
    created: '2026-10-01T08:00:00.000Z',
    updated: '2026-10-01T08:00:00.000Z',
    ...more,
  })
  return [
    {
      calendar: {
        kind: 'calendar#calendarListEntry',
        id: email,
        summary: email,
        primary: true,
        timeZone: 'Europe/Berlin',
        accessRole: 'owner',
      },
      events: [
        event('sandboxevent0001', 'Kick-off', {
          start: { dateTime: '2026-12-01T09:00:00+01:00', timeZone: 'Europe/Berlin' },
          end: { dateTime: '2026-12-01T10:00:00+01:00', timeZone: 'Europe/Berlin' },
        }),
        event('sandboxevent0002', 'Betriebsausflug 🚲', {
          start: { date: '2026-12-04' },
          end: { date: '2026-12-05' },
        }),
        event('sandboxevent0003', 'Weekly', {
          start: { dateTime: '2026-12-07T11:00:00+01:00', timeZone: 'Europe/Berlin' },
          end: { dateTime: '2026-12-07T11:30:00+01:00', timeZone: 'Europe/Berlin' },
          recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=MO'],
        }),
      ],
    },
    {
      calendar: {
        kind: 'calendar#calendarListEntry',
        id: 'team@group.calendar.google.com',
        summary: 'Team',
        timeZone: 'UTC',
        accessRole: 'reader',
      },
      events: [],
    },
  ]
}
