import { ADA, GRACE, GRANT_ID, MAIL, NINE, type Sample } from './sample.ts'

const SEND = '/nylas/send'

const headerless = {
  id: '18c9f2a7b3d4e5f6',
  grant_id: GRANT_ID,
  object: 'message',
  thread_id: '18c9f2a7b3d4e5f0',
  subject: 'Lunch on Thursday',
  from: [GRACE],
  to: [ADA],
  cc: [],
  bcc: [],
  reply_to: [],
  date: NINE,
  starred: false,
  unread: true,
  folders: ['INBOX', 'UNREAD'],
}

/** A whole message, as reading it would give it. */
const message = {
  ...headerless,
  body: '<p>Shall we meet at noon?</p>',
  snippet: 'Shall we meet at noon?',
  attachments: [
    {
      id: 'v0:bWVudS5wZGY=:YXBwbGljYXRpb24vcGRm:2048',
      grant_id: GRANT_ID,
      filename: 'menu.pdf',
      content_type: 'application/pdf',
      size: 2048,
      is_inline: false,
      content_id: 'menu@example.com',
      content_disposition: 'attachment; filename="menu.pdf"',
    },
  ],
  metadata: {},
}

const reduced = {
  ...headerless,
  headers: [{ name: 'Message-Id', value: '<lunch@example.com>' }],
}

const { body: _body, ...bodyless } = message
const sent = { ...bodyless, from: [ADA], to: [GRACE], unread: false, folders: ['SENT'], attachments: [] }

/** Messages (contract/webhooks.md 6). */
export const MESSAGE_SAMPLES = {
  'message.created': { source: MAIL, data: { object: message } },
  'message.created.metadata': { source: MAIL, data: { object: reduced } },
  'message.created.cleaned': {
    source: MAIL,
    data: { object: { ...message, body: 'Shall we meet at noon?', cleaning_status: 'success' } },
  },
  'message.updated': {
    source: MAIL,
    data: { object: { ...message, unread: false, starred: true, folders: ['INBOX', 'STARRED'] } },
  },
  'message.updated.metadata': {
    source: MAIL,
    data: { object: { ...reduced, unread: false, folders: ['INBOX'] } },
  },
  'message.deleted': {
    source: MAIL,
    data: { object: { id: message.id, grant_id: GRANT_ID, object: 'message' } },
  },
  'message.send_success': {
    source: SEND,
    data: {
      grant_id: GRANT_ID,
      object: {
        ...sent,
        schedule_id: '8cd56334-6d95-432c-86d1-c5dab0ce98be',
        send_at: NINE,
        use_draft: false,
      },
    },
  },
  'message.send_failed': {
    source: SEND,
    data: {
      grant_id: GRANT_ID,
      reason: 'The provider refused the message.',
      error: {
        type: 'api.provider_error',
        message: 'The provider refused the message.',
        status_code: 400,
        provider_error: { error: { code: 400, message: 'Invalid To header' } },
      },
      object: { ...sent, schedule_id: '8cd56334-6d95-432c-86d1-c5dab0ce98be', send_at: NINE },
    },
  },
  'message.bounce_detected': {
    source: MAIL,
    data: {
      grant_id: GRANT_ID,
      object: {
        bounce_reason: 'The email account that you tried to reach does not exist.',
        bounce_date: 'Thu, 15 Jan 2026 09:00:00 +0000',
        bounced_addresses: 'nobody@example.com',
        type: 'mailbox_unavailable',
        code: '550',
        grant_id: GRANT_ID,
        origin: {
          to: ['nobody@example.com'],
          from: ADA.email,
          cc: [],
          bcc: [],
          subject: 'Lunch on Thursday',
          mime_id: '<lunch@example.com>',
          id: message.id,
          original_send_at: NINE,
        },
      },
    },
  },
} as const satisfies Record<string, Sample>
