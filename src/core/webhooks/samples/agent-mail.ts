import { ADA, GRACE, GRANT_ID, NINE, type Sample, SYSTEM } from './sample.ts'

const message = {
  id: '18c9f2a7b3d4e5f6',
  subject: 'Lunch on Thursday',
  from: ADA,
  to: [GRACE],
  cc: [],
  bcc: [],
  sent_at: NINE,
  metadata: {},
}

const delivered = { message, delivered: { delivered_at: NINE, recipients: [GRACE.email] } }
const bounced = {
  message,
  bounce: {
    bounced_at: NINE,
    type: 'Permanent',
    recipients: [{ email: GRACE.email, diagnostic_code: 'smtp; 550 5.1.1 user unknown' }],
  },
}
const complaint = {
  message,
  complaint: { reported_at: NINE, type: 'abuse', complained_recipients: [GRACE.email] },
}
const rejected = { message, rejected_at: NINE }

/** Mail of agent accounts and of domains (contract/webhooks.md 6): this server sends none of them yet. */
export const AGENT_MAIL_SAMPLES = {
  'message.delivered': { source: SYSTEM, data: { grant_id: GRANT_ID, object: delivered } },
  'message.bounced': { source: SYSTEM, data: { grant_id: GRANT_ID, object: bounced } },
  'message.complaint': { source: SYSTEM, data: { grant_id: GRANT_ID, object: complaint } },
  'message.rejected': { source: SYSTEM, data: { grant_id: GRANT_ID, object: rejected } },
  'message.transactional.delivered': { source: SYSTEM, data: { object: delivered } },
  'message.transactional.bounced': { source: SYSTEM, data: { object: bounced } },
  'message.transactional.complaint': { source: SYSTEM, data: { object: complaint } },
  'message.transactional.rejected': { source: SYSTEM, data: { object: rejected } },
} as const satisfies Record<string, Sample>
