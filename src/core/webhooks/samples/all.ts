import type { SampleTrigger } from '../../../contract/triggers.ts'
import { AGENT_MAIL_SAMPLES } from './agent-mail.ts'
import { BOOKING_SAMPLES } from './bookings.ts'
import { CALENDAR_SAMPLES } from './calendars-and-events.ts'
import { FOLDER_AND_CONTACT_SAMPLES } from './folders-and-contacts.ts'
import { GRANT_SAMPLES } from './grants.ts'
import { MESSAGE_SAMPLES } from './messages.ts'
import { NOTETAKER_SAMPLES } from './notetakers.ts'
import type { Sample } from './sample.ts'
import { TRACKING_SAMPLES } from './tracking.ts'

/** A sample of each trigger: the compiler says when one is missing. */
export const SAMPLES = {
  ...GRANT_SAMPLES,
  ...MESSAGE_SAMPLES,
  ...TRACKING_SAMPLES,
  ...AGENT_MAIL_SAMPLES,
  ...FOLDER_AND_CONTACT_SAMPLES,
  ...CALENDAR_SAMPLES,
  ...BOOKING_SAMPLES,
  ...NOTETAKER_SAMPLES,
} as const satisfies Record<SampleTrigger, Sample>
