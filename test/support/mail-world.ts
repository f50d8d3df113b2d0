import type { ProviderName } from '../../src/contract/providers.ts'
import type { FullMessage } from '../../src/contract/message.ts'
import type { FullThread } from '../../src/contract/thread.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { type GrantwayApp, startGrantway } from './grantway-app.ts'
import { grantRecord } from './http-app.ts'

/** The whole product, with mailboxes that a test makes in the place of some providers'. */
export interface MailWorld {
  readonly app: GrantwayApp
  /** Adds a grant of the application whose key the app has. */
  addGrant(change?: Partial<GrantRecord>): Promise<GrantRecord>
  stop(): Promise<void>
}

export async function startMailWorld(mail: { readonly [P in ProviderName]?: Mail }): Promise<MailWorld> {
  const app = await startGrantway(
    {},
    {
      overrides: {
        wrapProviders: (providers) =>
          new Map(
            [...providers].map(([name, module]) => {
              const replaced = mail[name]
              return [name, replaced ? { ...module, mail: replaced } : module]
            }),
          ),
      },
    },
  )
  const { database } = app.application
  const [application] = await database.stores.applications.list()
  if (!application) throw new Error('no application')
  return {
    app,
    async addGrant(change = {}) {
      const grant = grantRecord({ applicationId: application.id, ...change })
      await database.stores.grants.insert(grant)
      return grant
    },
    stop: () => app.stop(),
  }
}

/** A whole message, with what a test wants to be different. */
export function aMessage(grantId: string, id: string, change: Partial<FullMessage> = {}): FullMessage {
  return {
    id,
    grant_id: grantId,
    object: 'message',
    date: 1_767_225_600,
    created_at: 1_767_225_600,
    thread_id: 't1',
    subject: 'Figures ✉',
    from: [{ name: 'Ada', email: 'ada@acme.example' }],
    to: [{ email: 'ben@globex.example' }],
    cc: [],
    bcc: [],
    reply_to: [],
    folders: ['INBOX'],
    unread: true,
    starred: false,
    snippet: 'Here they are',
    body: '<p>Here they are</p>',
    attachments: [],
    ...change,
  }
}

/** A whole thread, with what a test wants to be different. */
export function aThread(grantId: string, id: string, change: Partial<FullThread> = {}): FullThread {
  return {
    id,
    grant_id: grantId,
    object: 'thread',
    subject: 'Figures',
    snippet: 'Here they are',
    starred: false,
    unread: true,
    has_attachments: false,
    has_drafts: true,
    earliest_message_date: 1_767_139_200,
    latest_message_received_date: 1_767_225_600,
    latest_message_sent_date: 1_767_150_000,
    participants: [{ name: 'Ada', email: 'ada@acme.example' }, { email: 'ben@globex.example' }],
    message_ids: ['m1', 'm2'],
    draft_ids: ['r-1'],
    folders: ['INBOX', 'SENT'],
    latest_draft_or_message: aMessage(grantId, 'm2'),
    ...change,
  }
}
