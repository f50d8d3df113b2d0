import { GRANT_ID, NINE, type Sample } from './sample.ts'

const NOTETAKER = '/nylas/notetaker'

const notetaker = {
  id: 'b1c2d3e4-0003-4000-8000-000000000003',
  grant_id: GRANT_ID,
  object: 'notetaker',
  state: 'scheduled',
  status: 'scheduled',
  meeting_link: 'https://meet.example.com/abc-defg-hij',
  meeting_provider: 'Google Meet',
  join_time: NINE,
  meeting_settings: { video_recording: true, audio_recording: true, transcription: true },
  event: {
    ical_uid: '5d3qmne77v32r8l4phyuksl2x@example.com',
    event_id: '5d3qmne77v32r8l4phyuksl2x',
    master_event_id: '5d3qmne77v32r8l4phyuksl2x',
  },
}

function sample(object: Sample['data']): Sample {
  return { source: NOTETAKER, data: { object } }
}

/** Notetakers (contract/webhooks.md 6): this server sends none of them yet. */
export const NOTETAKER_SAMPLES = {
  'notetaker.created': sample(notetaker),
  'notetaker.updated': sample({ ...notetaker, join_time: NINE + 600 }),
  'notetaker.deleted': sample({ ...notetaker, state: 'cancelled', status: 'cancelled' }),
  'notetaker.meeting_state': sample({
    ...notetaker,
    state: 'attending',
    status: 'attending',
    meeting_state: 'recording_active',
  }),
  'notetaker.media': sample({
    ...notetaker,
    state: 'available',
    status: 'media_available',
    media: {
      recording: 'https://media.example.com/recording.mp4',
      transcript: 'https://media.example.com/transcript.json',
    },
  }),
} as const satisfies Record<string, Sample>
