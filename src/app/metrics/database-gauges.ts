import { Gauge, type Registry } from 'prom-client'
import { PROVIDER_NAMES } from '../../contract/providers.ts'
import type { JobKind, WebhookStatus } from '../../core/ports/records.ts'
import type { Stores } from '../../core/ports/stores.ts'
import { boundedReasons } from './labels.ts'

/** One question to the database, and the gauges that its answer sets. */
export interface Reading {
  readonly name: string
  /** Asks and sets; on a failure the gauges keep what they had. */
  take(stores: Stores): Promise<void>
}

const JOB_KINDS: readonly JobKind[] = ['webhook.delivery']
const COUNTED_STATES = ['waiting', 'dead'] as const
const DESTINATION_STATUSES: readonly WebhookStatus[] = ['active', 'pause', 'failing', 'failed']
/** More alarmed connectors than these are not told apart from that many. */
const MOST_ALARMS = 1000

/**
 * Makes the gauges of the installation's state, the same on every process. Cheap questions come first: the count
 * of grants walks an index over all of them.
 */
export function createDatabaseGauges(registry: Registry): readonly Reading[] {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })
  const grants = gauge('grantway_grants', 'Grants, by status; reason says why those are invalid', [
    'provider',
    'status',
    'reason',
  ])
  const dueRefresh = gauge(
    'grantway_oldest_due_refresh_age_seconds',
    'How long the refresh that is due longest has been due; 0 when none is',
  )
  const dueJob = gauge(
    'grantway_oldest_due_job_age_seconds',
    'Job lag: how long the job that is due longest has been due; 0 when none is',
    ['kind'],
  )
  const jobs = gauge('grantway_jobs', 'Jobs that wait (running ones included) and dead letters', [
    'kind',
    'state',
  ])
  const alarms = gauge(
    'grantway_alarmed_connectors',
    'Connectors whose own credentials the provider refuses',
    ['provider'],
  )
  const destinations = gauge('grantway_webhook_destinations', 'Destinations of events, by status', ['status'])
  const waitingSends = gauge('grantway_scheduled_sends_waiting', 'Scheduled messages that wait to be sent')
  const dueSend = gauge(
    'grantway_oldest_due_scheduled_send_age_seconds',
    'How long the scheduled message that is due longest has been due; 0 when none is',
  )
  const unsent = gauge(
    'grantway_oldest_unsent_event_age_seconds',
    'Age of the oldest event whose deliveries are not enqueued yet; 0 when there is none',
  )
  return [
    {
      name: 'refreshes',
      async take({ secrets }) {
        dueRefresh.set(((await secrets.oldestDueRefreshMs()) ?? 0) / 1000)
      },
    },
    {
      name: 'connectors',
      async take({ connectors }) {
        const alarmed = await connectors.listAlarmed(MOST_ALARMS)
        for (const provider of PROVIDER_NAMES) {
          alarms.set({ provider }, alarmed.filter((connector) => connector.provider === provider).length)
        }
      },
    },
    {
      name: 'destinations',
      async take({ webhooks }) {
        const counts = new Map((await webhooks.countByStatus()).map(({ status, count }) => [status, count]))
        for (const status of DESTINATION_STATUSES) destinations.set({ status }, counts.get(status) ?? 0)
      },
    },
    {
      name: 'events',
      async take({ outbox }) {
        unsent.set((await outbox.oldestUnsentSeconds()) ?? 0)
      },
    },
    {
      name: 'scheduled_sends',
      async take({ scheduledSends }) {
        const { waiting, oldestDueMs } = await scheduledSends.backlog()
        waitingSends.set(waiting)
        dueSend.set((oldestDueMs ?? 0) / 1000)
      },
    },
    {
      name: 'jobs',
      async take(stores) {
        for (const kind of JOB_KINDS) {
          dueJob.set({ kind }, ((await stores.jobs.oldestDueMs(kind)) ?? 0) / 1000)
          const found = await stores.jobs.countByState(kind, COUNTED_STATES)
          const counts = new Map(found.map(({ state, count }) => [state, count]))
          for (const state of COUNTED_STATES) jobs.set({ kind, state }, counts.get(state) ?? 0)
        }
      },
    },
    {
      name: 'grants',
      async take(stores) {
        const counts = boundedReasons(await stores.grants.countByStatus())
        grants.reset()
        for (const { count, ...labels } of counts) grants.set({ ...labels }, count)
      },
    },
  ]
}
