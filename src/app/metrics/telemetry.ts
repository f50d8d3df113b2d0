import { Counter, Histogram, type Registry } from 'prom-client'
import type { Telemetry } from '../../core/ports/telemetry.ts'
import { statusLabel } from './labels.ts'

/** Calls have deadlines of 10 to 60 s. */
const CALL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60]
/** A delivery is tried again for days. */
const LAG_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43_200, 172_800]

/** Makes the counters of what this process does. No grant id and no address is ever a label. */
export function createTelemetry(registry: Registry): Telemetry {
  const registers = [registry]
  const refreshes = new Counter({
    name: 'grantway_refreshes_total',
    help: 'Refreshes that were sent, by what became of them: kept, rotated, refused (for good, by the provider), misconfigured (the connector’s own credentials are refused), failed, unanswered',
    labelNames: ['provider', 'result'],
    registers,
  })
  const refreshDuration = new Histogram({
    name: 'grantway_refresh_duration_seconds',
    help: 'Time of the token call of a refresh',
    labelNames: ['provider'],
    buckets: CALL_SECONDS,
    registers,
  })
  const leaseWait = new Histogram({
    name: 'grantway_refresh_lease_wait_seconds',
    help: 'Time callers waited for another process’s refresh of the same grant; its _count is the number of waits',
    labelNames: ['provider'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  })
  const calls = new Counter({
    name: 'grantway_provider_calls_total',
    help: 'HTTP calls to providers, by HTTP status, or timeout, unreachable, cancelled (nobody waited any more)',
    labelNames: ['provider', 'status'],
    registers,
  })
  const callDuration = new Histogram({
    name: 'grantway_provider_call_duration_seconds',
    help: 'Time of an HTTP call to a provider, its whole answer read',
    labelNames: ['provider'],
    buckets: CALL_SECONDS,
    registers,
  })
  const signIns = new Counter({
    name: 'grantway_mail_sign_ins_total',
    help: 'Logins at mail servers: ok, refused, timeout, unreachable, cancelled, failed (anything else)',
    labelNames: ['provider', 'protocol', 'result'],
    registers,
  })
  const signInDuration = new Histogram({
    name: 'grantway_mail_sign_in_duration_seconds',
    help: 'Time of a login at a mail server',
    labelNames: ['provider', 'protocol'],
    buckets: CALL_SECONDS,
    registers,
  })
  const scheduledSends = new Counter({
    name: 'grantway_scheduled_sends_total',
    help: 'Scheduled messages that were due: sent, retried (tried again later), failed, unknown (the provider may have taken it)',
    labelNames: ['result'],
    registers,
  })
  const deliveries = new Counter({
    name: 'grantway_delivery_attempts_total',
    help: 'Attempts to deliver an event to a destination: delivered, retried (tried again later), dead (given up), by HTTP status, or timeout, unreachable',
    labelNames: ['result', 'status'],
    registers,
  })
  const deliveryDuration = new Histogram({
    name: 'grantway_delivery_duration_seconds',
    help: 'Time of one delivery attempt',
    labelNames: ['result'],
    buckets: CALL_SECONDS,
    registers,
  })
  const deliveryLag = new Histogram({
    name: 'grantway_delivery_lag_seconds',
    help: 'Time from the writing of an event to the end of a delivery attempt',
    labelNames: ['result'],
    buckets: LAG_SECONDS,
    registers,
  })
  return {
    refreshed({ provider, result, durationMs }) {
      refreshes.inc({ provider, result })
      refreshDuration.observe({ provider }, seconds(durationMs))
    },
    waitedForLease({ provider, durationMs }) {
      leaseWait.observe({ provider }, seconds(durationMs))
    },
    calledProvider({ provider, status, durationMs }) {
      calls.inc({ provider, status: statusLabel(status) })
      callDuration.observe({ provider }, seconds(durationMs))
    },
    signedIn({ provider, protocol, result, durationMs }) {
      signIns.inc({ provider, protocol, result })
      signInDuration.observe({ provider, protocol }, seconds(durationMs))
    },
    scheduledSend({ result }) {
      scheduledSends.inc({ result })
    },
    delivered({ result, status, durationMs, lagMs }) {
      deliveries.inc({ result, status: statusLabel(status) })
      deliveryDuration.observe({ result }, seconds(durationMs))
      deliveryLag.observe({ result }, seconds(lagMs))
    },
  }
}

/** A clock may go back, and those of two machines differ: nothing takes less than no time. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1000
}
