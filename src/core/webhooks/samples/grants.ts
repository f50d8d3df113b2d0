import { ADA, GRANT_ID, NINE, type Sample, SYSTEM } from './sample.ts'

const grant = {
  grant_id: GRANT_ID,
  integration_id: '0f6f4a0c-53f1-4d0b-8f5e-7b1a9c2d3e4f',
  provider: 'google',
  email: ADA.email,
}

/** Grants (contract/webhooks.md 6). `login_id` is there for hosted logins only. */
export const GRANT_SAMPLES = {
  'grant.created': {
    source: SYSTEM,
    data: {
      object: {
        code: 25012,
        ...grant,
        name: ADA.name,
        scope: ['openid', 'https://www.googleapis.com/auth/gmail.modify'],
        login_id: '7f3e1c52-0d9b-4b7e-a1c4-5e6f7a8b9c0d',
        metadata: {},
      },
    },
  },
  'grant.updated': {
    source: SYSTEM,
    data: { object: { code: 25027, ...grant, reauthentication_flag: true } },
  },
  'grant.deleted': { source: SYSTEM, data: { object: { code: 25013, ...grant } } },
  'grant.expired': {
    source: SYSTEM,
    data: { object: { code: 25009, ...grant, grant_updated_at: NINE } },
  },
  'grant.imap_sync_completed': {
    source: '/imap/emails/historic',
    data: {
      object: { code: 25012, ...grant, provider: 'imap', type: 'grant.imap_sync_completed' },
    },
  },
} as const satisfies Record<string, Sample>
