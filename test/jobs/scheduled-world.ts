import { randomBytes } from 'node:crypto'
import type { DraftQuery } from '../../src/core/ports/outgoing.ts'
import type { GrantRecord, OutboxEvent } from '../../src/core/ports/records.ts'
import type { Vault } from '../../src/core/ports/vault.ts'
import { loadDataKeys } from '../../src/core/vault/data-keys.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import { systemClock, unixSeconds } from '../../src/kit/clock.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { eventually } from '../support/eventually.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { grantRecord } from '../support/http-app.ts'
import { mailbox, type OutgoingApp, type Sent } from '../support/outgoing-app.ts'

export const MINUTE_MS = 60_000
export const TO = [{ email: 'ada@acme.example', name: 'Ada Moreau' }]

/** The composed server over a mailbox in memory. */
export interface ScheduledWorld {
  readonly app: GrantwayApp
  readonly grant: GrantRecord
  readonly sent: Sent[]
  readonly drafts: OutgoingApp['drafts']
  /** What happens at the provider when it is asked to send. */
  readonly provider: { onSend: () => Promise<void> }
  /** Seals as the server does. */
  readonly vault: Vault
  call(method: string, path: string, body?: unknown): ReturnType<GrantwayApp['call']>
  /** Schedules a message two minutes from now. @returns the id of its schedule */
  schedule(body?: object): Promise<string>
  /** Moves the clock and lets everything that is due run. */
  pass(ms: number): void
  /** Waits until a schedule has that status. @returns the whole of it */
  status(id: string, code: string): Promise<{ description: string; closeTime: number | undefined }>
  /** Waits for events of that trigger. */
  events(trigger: string, count: number): Promise<readonly OutboxEvent[]>
  stop(): Promise<void>
}

export async function startScheduledWorld(): Promise<ScheduledWorld> {
  const sent: Sent[] = []
  const drafts: OutgoingApp['drafts'] = new Map()
  const queries: DraftQuery[] = []
  const provider = { onSend: () => Promise.resolve() }
  const own = grantRecord({ email: 'ben@globex.example', name: 'Ben Ito' })
  const box = { sent, drafts, queries, state: provider, grant: own, facts: { schedulesDrafts: true } }
  const key = randomBytes(32)
  const app = await startGrantway(
    { GRANTWAY_ENCRYPTION_KEYS: `k1:${key.toString('base64')}` },
    {
      overrides: {
        wrapProviders: (providers) => {
          const google = providers.get('google')
          if (!google) throw new Error('no provider for tests')
          return new Map([...providers, ['google' as const, { ...google, mail: mailbox(box) }]])
        },
      },
    },
  )
  const { database, services, jobs } = app.application
  const [mine] = await services.applications.list()
  if (!mine) throw new Error('no application')
  const grant = { ...own, applicationId: mine.id }
  const operatorKeys = [{ id: 'k1', key }]
  const vault = createVault(
    await loadDataKeys({ database, operatorKeys, clock: systemClock, ids: randomIds }),
  )
  await database.stores.grants.insert(grant)
  const base = `/v3/grants/${grant.id}`
  const call: ScheduledWorld['call'] = (method, path, body) => app.call(method, base + path, body)
  return {
    app,
    grant,
    sent,
    drafts,
    provider,
    vault,
    call,
    async schedule(body = {}) {
      const answer = await call('POST', '/messages/send', {
        to: TO,
        subject: 'Later',
        body: '<p>Later</p>',
        send_at: unixSeconds(app.clock) + 120,
        ...body,
      })
      if (answer.status !== 202) throw new Error(answer.text)
      return answer.body.schedule_id
    },
    pass(ms) {
      app.clock.advance(ms)
      jobs?.wake()
    },
    status: (id, code) =>
      eventually(`schedule is ${code}`, async () => {
        const { body } = await call('GET', `/messages/schedules/${id}`)
        if (body.data?.status.code !== code) return undefined
        return { description: body.data.status.description, closeTime: body.data.close_time }
      }),
    events: (trigger, count) =>
      eventually(`${count} ${trigger}`, async () => {
        const all = await database.stores.outbox.list(mine.id, 1000)
        const found = all.filter((event) => event.trigger === trigger)
        return found.length >= count ? found : undefined
      }),
    stop: () => app.stop(),
  }
}
