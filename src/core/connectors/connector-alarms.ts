import { type Clock, unixSeconds } from '../../kit/clock.ts'
import type { Logger } from '../../kit/logger.ts'
import type { ProviderError } from '../../kit/provider-error.ts'
import type { ProviderClient } from '../ports/identity.ts'
import type { ConnectorAlarm, ConnectorRecord } from '../ports/records.ts'
import type { Database } from '../ports/stores.ts'

/** The alarm of a connector whose own credentials or settings a provider refuses. No grant dies of that. */
export interface ConnectorAlarms {
  /**
   * Raises the alarm, at most once a minute and not again while the same one stands. Never throws: an alarm that
   * can't be written is logged.
   * @param connector  as read before the call
   */
  raise(connector: ConnectorRecord, client: ProviderClient, error: ProviderError): Promise<void>
  /** Clears an alarm that was raised for this client, after the provider took it. Never throws. */
  settle(connector: ConnectorRecord, client: ProviderClient): Promise<void>
}

const QUIET_MS = 60_000
const ADVICE = 'Compare the settings of the connector with the registration of the app at the provider.'

/** What this process has raised for a connector, in memory only. */
interface Raised {
  readonly clientId: string
  readonly atMs: number
  /** of the connector then: one that was changed since is heard at once */
  readonly updatedAt: number
}

/** Makes the alarms of this process. Share one: the quiet minute is kept in it. */
export function createConnectorAlarms(deps: {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
}): ConnectorAlarms {
  const raised = new Map<string, Raised>()
  const clearing = new Set<string>()
  const { connectors } = deps.database.stores

  const write = async (
    { applicationId, provider }: ConnectorRecord,
    alarm: ConnectorAlarm | null,
  ): Promise<void> => {
    await connectors.setAlarm(applicationId, provider, alarm).catch((error: unknown) => {
      deps.log.warn({ applicationId, provider, err: error }, 'connector.alarm_not_written')
    })
  }

  return {
    async raise(connector, client, error) {
      const { applicationId, provider, updatedAt } = connector
      const nowMs = deps.clock.nowMs()
      const last = raised.get(connector.id)
      const isQuiet = last?.updatedAt === updatedAt && nowMs - last.atMs < QUIET_MS
      const code = error.details.reason ?? error.details.providerCode ?? error.kind
      const stands = connector.alarm?.code === code && connector.alarm.client_id === client.clientId
      if (isQuiet || stands) return
      raised.set(connector.id, { clientId: client.clientId, atMs: nowMs, updatedAt })
      const alarm: ConnectorAlarm = {
        code,
        message: error.message,
        advice: error.details.advice ?? ADVICE,
        client_id: client.clientId,
        ...(error.details.providerBody ? { provider_error: error.details.providerBody } : {}),
        at: unixSeconds(deps.clock),
      }
      deps.log.error({ applicationId, provider, code, advice: alarm.advice }, 'connector.alarm_raised')
      await write(connector, alarm)
    },

    async settle(connector, client) {
      const clientId = connector.alarm?.client_id ?? raised.get(connector.id)?.clientId
      const isRaised = connector.alarm !== null || clientId !== undefined
      if (!isRaised || (clientId ?? client.clientId) !== client.clientId) return
      if (clearing.has(connector.id)) return
      clearing.add(connector.id)
      raised.delete(connector.id)
      await write(connector, null)
      clearing.delete(connector.id)
      const { applicationId, provider } = connector
      deps.log.info({ applicationId, provider }, 'connector.alarm_cleared')
    },
  }
}
