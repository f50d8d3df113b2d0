import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Telemetry } from '../../core/ports/telemetry.ts'
import { createDatabaseGauges, type Reading } from './database-gauges.ts'
import { createTelemetry } from './telemetry.ts'

/** An answered request of the API. */
export interface AnsweredRequest {
  readonly method: string
  /** the pattern, never the path */
  readonly route: string
  readonly status: number
  readonly durationMs: number
}

/** Every metric there is, and the ways to set each. */
export interface MetricsRegistry {
  readonly registry: Registry
  readonly telemetry: Telemetry
  readonly readings: readonly Reading[]
  readonly readingAge: Gauge<'reading'>
  observe(request: AnsweredRequest): void
}

/** Makes the metrics of a process, all at nothing. */
export function createRegistry(): MetricsRegistry {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'grantway_http_request_duration_seconds',
    help: 'Time to answer a request, by route pattern',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const telemetry = createTelemetry(registry)
  const readings = createDatabaseGauges(registry)
  const readingAge = new Gauge({
    name: 'grantway_database_reading_age_seconds',
    help: 'How old the values are that were read from the database, by reading; grows while it cannot be read',
    labelNames: ['reading'],
    registers,
  })
  return {
    registry,
    telemetry,
    readings,
    readingAge,
    observe({ method, route, status, durationMs }) {
      requests.observe({ method, route, status: String(status) }, durationMs / 1000)
    },
  }
}
