import type { GrantReason } from '../../contract/grant.ts'
import type { ProviderError } from '../../kit/provider-error.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { GrantRecord } from '../ports/records.ts'

/** What helps against every permanent refusal. */
export const REVOKED_ADVICE =
  'The user must sign in again: send the new refresh token or credentials to POST /v3/connect/custom. The grant keeps its id.'

/** The grant that was refused, and its provider. */
export interface Refused {
  readonly grant: Pick<GrantRecord, 'updatedAt'>
  readonly module: Pick<ProviderModule, 'advise'> | undefined
}

/** Says why a grant died, from the provider's refusal. */
export function reasonOfRefusal(error: ProviderError, at: number, { grant, module }: Refused): GrantReason {
  const code = error.details.reason ?? error.details.providerCode ?? 'refused'
  return {
    code,
    message: error.message,
    advice: module?.advise?.(code, at - grant.updatedAt) ?? error.details.advice ?? REVOKED_ADVICE,
    ...(error.details.providerBody ? { provider_error: error.details.providerBody } : {}),
    at,
  }
}

/**
 * A refresh was sent and its answer never came, so that the token the provider issued then is unknown to us: the
 * one way a token can be lost (design.md section 4).
 */
export const ANSWER_LOST = {
  code: 'refresh_answer_lost',
  message:
    'An earlier refresh was sent and its answer was lost (the process or the connection ended); the provider has since refused the stored token.',
  advice: `This provider replaces the refresh token with each use. ${REVOKED_ADVICE}`,
} as const

/** Says why a grant died whose last answer was lost. */
export function reasonOfLostAnswer(error: ProviderError, at: number, refused: Refused): GrantReason {
  return { ...reasonOfRefusal(error, at, refused), ...ANSWER_LOST }
}
