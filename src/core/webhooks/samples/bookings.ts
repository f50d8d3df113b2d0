import { ADA, GRACE, GRANT_ID, HOUR, NINE, type Sample } from './sample.ts'

const SCHEDULER = '/nylas/passthru'

const info = {
  event_id: '5d3qmne77v32r8l4phyuksl2x',
  start_time: NINE,
  end_time: NINE + HOUR,
  participants: [ADA, GRACE],
  additional_fields: { topic: 'Lunch' },
  title: 'Lunch',
  duration: 60,
  location: 'Canteen',
  organizer_timezone: 'Europe/London',
  guest_timezone: 'America/New_York',
  host_language: 'en',
  guest_language: 'en',
  hide_cancellation_options: false,
  hide_rescheduling_options: false,
  participant_cancel_url: 'https://scheduler.example.com/cancel',
  participant_reschedule_url: 'https://scheduler.example.com/reschedule',
  is_group_event: false,
  organizer_calendar_id: ADA.email,
  event_description: 'Menu attached',
  event_html_link: 'https://calendar.example.com/event?id=5d3qmne77v32r8l4phyuksl2x',
  ical_uid: '5d3qmne77v32r8l4phyuksl2x@example.com',
  host_confirmation_url: 'https://scheduler.example.com/confirm',
}

const booking = {
  configuration_id: 'a1b2c3d4-0001-4000-8000-000000000001',
  booking_id: 'a1b2c3d4-0002-4000-8000-000000000002',
  object: 'booking',
}
const booking_ref = 'oVQ0bXxQSRaW1Jm7x5h0Ag'

function sample(object: Sample['data']): Sample {
  return { source: SCHEDULER, data: { grant_id: GRANT_ID, object } }
}

/** Bookings (contract/webhooks.md 6): this server sends none of them yet. */
export const BOOKING_SAMPLES = {
  'booking.created': sample({ ...booking, booking_ref, booking_info: info }),
  'booking.pending': sample({
    ...booking,
    booking_ref,
    booking_type: 'organizer-confirmation',
    booking_info: info,
  }),
  'booking.rescheduled': sample({
    ...booking,
    booking_ref,
    booking_info: { ...info, old_start_time: NINE - HOUR, old_end_time: NINE },
  }),
  'booking.cancelled': sample({
    ...booking,
    booking_info: { ...info, cancellation_reason: 'No appetite' },
  }),
  'booking.reminder': sample({
    ...booking,
    booking_info: { ...info, time_until_event: 60, organizer_email: ADA.email, provider: 'google' },
  }),
} as const satisfies Record<string, Sample>
