import type { GrantReason } from '../../contract/grant.ts'
import type { ProviderError } from '../../kit/provider-error.ts'

const REVOKED_ADVICE =
  'The user must sign in again: send the new refresh token or credentials to POST /v3/connect/custom. The grant keeps its id.'

/** Says why a grant died, from the provider's refusal. */
export function reasonOfRefusal(error: ProviderError, at: number): GrantReason {
  return {
    code: error.details.providerCode ?? 'refused',
    message: error.message,
    advice: error.details.advice ?? REVOKED_ADVICE,
    ...(error.details.providerBody ? { provider_error: error.details.providerBody } : {}),
    at,
  }
}

/**
 * Says that a refresh was sent and its answer never came, so that the token the provider issued then is
 * unknown to us: the one way a token can be lost (design.md section 4).
 */
export function reasonOfLostAnswer(error: ProviderError, at: number): GrantReason {
  return {
    ...reasonOfRefusal(error, at),
    code: 'refresh_answer_lost',
    message:
      'An earlier refresh was sent and its answer was lost (the process or the connection ended); the provider has since refused the stored token.',
    advice: `This provider replaces the refresh token with each use. ${REVOKED_ADVICE}`,
  }
}
