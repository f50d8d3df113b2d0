import { GRANT_ID, NINE, type Sample } from './sample.ts'

const TRACKING = '/com/nylas/tracking'

const client = { ip: '203.0.113.50', user_agent: 'Mozilla/5.0', timestamp: NINE }
const tracked = {
  message_id: '18c9f2a7b3d4e5f6',
  label: 'lunch',
  sender_app_id: '0d5c5a3e-0c6b-4f2e-9f51-3f0f6f1d2c3b',
  timestamp: NINE,
  grant_id: GRANT_ID,
}

/** Tracking of sent messages (contract/webhooks.md 6). */
export const TRACKING_SAMPLES = {
  'message.opened': {
    source: TRACKING,
    data: {
      grant_id: GRANT_ID,
      object: {
        ...tracked,
        object: 'message',
        message_data: { count: 1, timestamp: NINE },
        recents: [{ opened_id: 0, ...client }],
      },
    },
  },
  'message.link_clicked': {
    source: TRACKING,
    data: {
      grant_id: GRANT_ID,
      object: {
        ...tracked,
        object: 'message',
        link_data: [{ url: 'https://example.com/menu', count: 1 }],
        recents: [{ click_id: 0, link_index: '0', ...client }],
      },
    },
  },
  'thread.replied': {
    source: TRACKING,
    data: {
      grant_id: GRANT_ID,
      object: {
        ...tracked,
        object: 'thread',
        message_id: '18c9f2a7b3d4e6a1',
        root_message_id: '18c9f2a7b3d4e5f6',
        reply_to_message_id: '18c9f2a7b3d4e5f6',
        reply_data: { count: 1 },
        from_self: false,
        thread_id: '18c9f2a7b3d4e5f0',
      },
    },
  },
} as const satisfies Record<string, Sample>
