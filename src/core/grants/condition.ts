import type { ProviderName } from '../../contract/providers.ts'
import { CONNECTOR_DELETED } from '../connectors/connectors.ts'
import { CREDENTIAL_DELETED } from '../credentials/credentials.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { Condition } from '../ports/services.ts'
import type { Database } from '../ports/stores.ts'
import { ANSWER_LOST, REVOKED_ADVICE } from './reason.ts'

/** Of a broken installation the first few hundred say enough. */
const MOST_ALARMS = 200

/**
 * Tells how the grants and connectors of the whole installation are doing, with the advice for each reason. Reads
 * only.
 */
export async function readCondition(deps: {
  readonly database: Database
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
}): Promise<Condition> {
  const { grants, connectors } = deps.database.stores
  const counts = await grants.countByStatus()
  const alarmed = await connectors.listAlarmed(MOST_ALARMS)
  return {
    grants: counts.map((count) =>
      count.status === 'valid'
        ? count
        : { ...count, advice: adviceOn(deps.providers.get(count.provider), count.reasonCode ?? '') },
    ),
    alarms: alarmed.flatMap(({ applicationId, provider, alarm }) =>
      alarm ? [{ applicationId, provider, alarm }] : [],
    ),
  }
}

function adviceOn(module: ProviderModule | undefined, code: string): string {
  const ours = [CONNECTOR_DELETED, CREDENTIAL_DELETED, ANSWER_LOST].find((reason) => reason.code === code)
  return ours?.advice ?? module?.advise?.(code, null) ?? REVOKED_ADVICE
}
