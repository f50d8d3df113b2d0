import type { MetricObject } from 'prom-client'
import { createRegistry } from '../../src/app/metrics/registry.ts'

/** Renders docs/metrics.md from the registry. */
export function metricsPage(): string {
  const { registry, readings } = createRegistry()
  const own = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('grantway_'))
  const rows = own.map((metric) => {
    const labels = labelsOf(metric).map((label) => `\`${label}\``)
    return `| \`${metric.name}\` | ${typeOf(metric)} | ${labels.join(', ')} | ${metric.help}. |`
  })
  const table = ['| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
  const names = readings.map(({ name }) => `\`${name}\``).join(', ')
  return `${[INTRODUCTION, table, FROM_DATABASE.replace('{readings}', names), ALERTS].join('\n\n')}\n`
}

function labelsOf(metric: MetricObject): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : []
}

/** prom-client's classes have the names of the types. */
function typeOf(metric: MetricObject): string {
  return metric.constructor.name.toLowerCase()
}

const INTRODUCTION = `<!-- Generated from src/app/metrics/ by \`npm run gen\`. -->

# Metrics

\`GET /metrics\` in the Prometheus text format, on a listener of its own (\`GRANTWAY_METRICS_PORT\`,
\`GRANTWAY_METRICS_HOST\`) or, with \`Authorization: Bearer\` and \`GRANTWAY_METRICS_TOKEN\`, on the API's; without the
token the API answers 404. A scrape is answered inside 5 seconds, whatever the database does. No grant id, address, key
or path is ever a label. The \`process_…\` and \`nodejs_…\` metrics of prom-client are there too.`

const FROM_DATABASE = `## What is read from the database

\`grantway_grants\`, \`grantway_jobs\`, \`grantway_alarmed_connectors\`, \`grantway_webhook_destinations\` and the
\`grantway_oldest_…\` gauges tell the state of the whole installation, so **every process reports the same values: take
\`max\` over the processes, not \`sum\`**. All others count what one process did: take \`sum\`.

- They are read at a scrape, at most every 30 seconds, and less often where reading takes long (a count of a million
  grants). While the database cannot be read, they keep their last values and
  \`grantway_database_reading_age_seconds\` grows. Its readings are
  {readings}.
- \`reason\` is the code of the grant's \`reason\`. Codes come from providers: what does not look like a code, and all but
  the 50 most frequent, are counted as \`other\`.
- A refresh that failed is scheduled again for later and is not due until then: an outage of a provider shows in
  \`grantway_refreshes_total\`, a background that cannot keep up in \`grantway_oldest_due_refresh_age_seconds\`.`

const ALERTS = `## Alerts

\`\`\`yaml
groups:
  - name: grantway
    rules:
      - alert: GrantwayRefreshesBehind
        expr: max(grantway_oldest_due_refresh_age_seconds) > 600
        for: 5m
        annotations:
          summary: Refreshes in the background are late. Is a worker running, and does it reach the providers?
      - alert: GrantwayConnectorRefused
        expr: max by (provider) (grantway_alarmed_connectors) > 0
        annotations:
          summary: A provider refuses a connector's client id or secret. No grant is lost; mend the connector.
      - alert: GrantwayRefreshesFail
        expr: |
          sum by (provider) (rate(grantway_refreshes_total{result=~"failed|unanswered"}[15m]))
            / sum by (provider) (rate(grantway_refreshes_total[15m])) > 0.5
        for: 15m
        annotations:
          summary: More than half of the refreshes fail.
      - alert: GrantwayGrantsDie
        expr: sum by (provider) (increase(grantway_refreshes_total{result="refused"}[1h])) > 20
        annotations:
          summary: Many users' grants became invalid within an hour. Look at grantway_grants by reason.
      - alert: GrantwayDeadLetters
        expr: max(grantway_jobs{state="dead"}) - max(grantway_jobs{state="dead"} offset 1h) > 0
        annotations:
          summary: Events were given up. Look at the destination, then replay them.
      - alert: GrantwayDestinationFailing
        expr: max by (status) (grantway_webhook_destinations{status=~"failing|failed"}) > 0
        for: 10m
        annotations:
          summary: A destination of events does not take them.
      - alert: GrantwayDeliveriesBehind
        expr: max(grantway_oldest_due_job_age_seconds) > 300 or max(grantway_oldest_unsent_event_age_seconds) > 300
        for: 5m
        annotations:
          summary: Events wait for a worker.
      - alert: GrantwayGaugesStale
        expr: max by (instance, reading) (grantway_database_reading_age_seconds) > 600
        annotations:
          summary: The database has not been read for ten minutes.
\`\`\``
