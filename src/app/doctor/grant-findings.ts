import type { Condition } from '../../core/ports/services.ts'
import { isJsonObject, stringField } from '../../kit/json.ts'
import type { Finding } from './finding.ts'

/**
 * Puts the condition of grants and connectors in lines: counts, each reason for which grants are invalid, each
 * alarm with its advice. An alarm fails the check; dead grants don't: their users have to act.
 */
export function grantFindings({ grants, alarms }: Condition): readonly Finding[] {
  const providers = [...new Set(grants.map(({ provider }) => provider))].toSorted()
  const counts = providers.map((provider): Finding => {
    const count = (status: 'valid' | 'invalid') =>
      grants
        .filter((line) => line.provider === provider && line.status === status)
        .reduce((sum, line) => sum + line.count, 0)
    return {
      check: 'grants',
      ok: true,
      detail: `${provider}: ${count('valid')} valid, ${count('invalid')} invalid`,
    }
  })
  const reasons = grants
    .filter(({ status }) => status === 'invalid')
    .toSorted((a, b) => a.provider.localeCompare(b.provider) || b.count - a.count)
    .map(({ provider, reasonCode, count, advice }): Finding => {
      const detail = `${provider}: ${count} invalid because of ${reasonCode ?? 'an unknown reason'}`
      return { check: 'grants', ok: true, detail, ...(advice === undefined ? {} : { advice }) }
    })
  const raised = alarms.map(({ applicationId, provider, alarm }): Finding => {
    const since = new Date(alarm.at * 1000).toISOString()
    const detail = `${provider} of application ${applicationId}: ${alarm.code} since ${since}. ${alarm.message}`
    return { check: 'connector', ok: false, detail, advice: alarm.advice }
  })
  const none: Finding = { check: 'grants', ok: true, detail: 'there are none yet' }
  return [...(counts.length === 0 ? [none] : counts), ...reasons, ...raised]
}

/** Reads findings that came over the admin socket; what is not one is left out. */
export function readFindings(value: unknown): readonly Finding[] {
  if (!Array.isArray(value)) return []
  return value.filter(isJsonObject).flatMap((line): readonly Finding[] => {
    const check = stringField(line, 'check')
    const detail = stringField(line, 'detail')
    const advice = stringField(line, 'advice')
    if (check === undefined || detail === undefined) return []
    return [{ check, ok: line['ok'] === true, detail, ...(advice === undefined ? {} : { advice }) }]
  })
}
