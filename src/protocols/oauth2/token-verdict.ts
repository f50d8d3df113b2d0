import { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from './token-request.ts'

/** What an error answer of a token endpoint means. Every line of a provider's table says this. */
export interface TokenVerdict {
  /**
   * Permanent (`grant-revoked`), a fault of configuration (`client-misconfigured`), or passing. Only the first
   * ends a grant, and it is for the user's reasons only.
   */
  readonly kind: 'grant-revoked' | 'client-misconfigured' | 'rate-limited' | 'unavailable'
  /** Our stable name of the cause. Lines with one name have one advice. */
  readonly reason: string
  readonly message: string
  /** What to do, in plain words. */
  readonly advice: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

/** A line that is found by the words of RFC 6749 section 5.2. */
export interface TokenErrorRule extends TokenVerdict {
  /** the `error` of the answer, whatever its case; absent: any */
  readonly error?: string
  readonly subtype?: string
  /** what the description says; absent: anything */
  readonly words?: RegExp
}

/**
 * Judges an error answer by the first line whose conditions all hold; `undefined` leaves it to the common rules.
 * A 5xx or 429 is never judged by its words: a failing service says nothing about the user.
 */
export function judgeByRules(
  rules: readonly TokenErrorRule[],
  answer: TokenErrorAnswer,
): ProviderError | undefined {
  if (isFailingService(answer)) return undefined
  const error = answer.error.toLowerCase()
  const rule = rules.find(
    (line) =>
      (line.error === undefined || line.error === error) &&
      (line.subtype === undefined || line.subtype === answer.body?.['error_subtype']) &&
      (line.words === undefined || line.words.test(answer.description)),
  )
  return rule && verdictError(rule, answer, answer.error || rule.reason)
}

/** Makes the error of a verdict. */
export function verdictError(
  verdict: TokenVerdict,
  answer: TokenErrorAnswer,
  providerCode: string,
): ProviderError {
  return new ProviderError(verdict.kind, verdict.message, {
    httpStatus: answer.status,
    providerCode,
    reason: verdict.reason,
    providerBody: answer.shown,
    advice: verdict.advice,
    answered: true,
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  })
}

/** Whether the service failed or throttles, so that its words are not about this request. */
export function isFailingService({ status }: Pick<TokenErrorAnswer, 'status'>): boolean {
  return status >= 500 || status === 429
}

/** Finds the advice of a reason, for grants that died earlier; undefined for a reason of no line. */
export function adviceOf(verdicts: readonly TokenVerdict[], reason: string): string | undefined {
  return verdicts.find((line) => line.reason === reason)?.advice
}
