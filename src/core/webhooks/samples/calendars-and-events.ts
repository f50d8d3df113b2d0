import { ADA, CALENDAR, GRACE, GRANT_ID, HOUR, NINE, type Sample } from './sample.ts'

const deletedCalendar = {
  id: 'team@group.calendar.example.com',
  grant_id: GRANT_ID,
  object: 'calendar',
  name: 'Team',
  timezone: 'Europe/London',
  is_primary: false,
  is_owned_by_user: true,
  read_only: false,
  hex_color: '#0b8043',
  hex_foreground_color: '#ffffff',
}
const calendar = { ...deletedCalendar, description: 'Who is where', location: 'London', metadata: {} }

const event = {
  id: '5d3qmne77v32r8l4phyuksl2x',
  grant_id: GRANT_ID,
  calendar_id: calendar.id,
  object: 'event',
  title: 'Lunch',
  description: 'Menu attached',
  location: 'Canteen',
  when: {
    object: 'timespan',
    start_time: NINE + 3 * HOUR,
    end_time: NINE + 4 * HOUR,
    start_timezone: 'Europe/London',
    end_timezone: 'Europe/London',
  },
  busy: true,
  read_only: false,
  status: 'confirmed',
  visibility: 'default',
  organizer: ADA,
  creator: ADA,
  participants: [{ ...GRACE, status: 'noreply' }],
  reminders: { use_default: true, overrides: [] },
  recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=TH'],
  cancelled_occurrences: [],
  occurrences: [],
  ical_uid: '5d3qmne77v32r8l4phyuksl2x@example.com',
  html_link: 'https://calendar.example.com/event?id=5d3qmne77v32r8l4phyuksl2x',
  metadata: {},
  created_at: NINE,
  updated_at: NINE,
}

/** Calendars and events (contract/webhooks.md 6). */
export const CALENDAR_SAMPLES = {
  'calendar.created': { source: CALENDAR, data: { object: calendar } },
  'calendar.updated': { source: CALENDAR, data: { object: { ...calendar, name: 'Team and friends' } } },
  'calendar.deleted': { source: CALENDAR, data: { object: deletedCalendar } },
  'event.created': { source: CALENDAR, data: { object: event } },
  'event.updated': { source: CALENDAR, data: { object: { ...event, location: 'Roof' } } },
  'event.deleted': {
    source: CALENDAR,
    data: {
      object: {
        id: `${event.id}_20260122T120000Z`,
        calendar_id: calendar.id,
        grant_id: GRANT_ID,
        object: 'event',
        master_event_id: event.id,
        metadata: {},
      },
    },
  },
} as const satisfies Record<string, Sample>
