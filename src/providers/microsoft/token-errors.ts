import type { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { adviceOf, isFailingService, verdictError } from '../../protocols/oauth2/token-verdict.ts'
import { AADSTS_RULES, NOTHING_CONSENTED, OAUTH_RULES } from './token-error-rules.ts'

const RULE_BY_CODE = new Map(AADSTS_RULES.flatMap((rule) => rule.codes.map((code) => [code, rule] as const)))

/** Codes that say that scopes were asked for that nobody consented to, or that do not exist. */
const SCOPE_CODES = new Set([65001, 65002, 70011, 28000, 28002, 28003, 650053, 650057, 700022, 700023])
const CONSENT_MISSING = 65001

/**
 * The AADSTS numbers of an answer: from `error_codes` and from the text, the text's first (it names the cause).
 * @see learn.microsoft.com/entra/identity-platform/reference-error-codes (checked 2026-11)
 */
function aadstsCodes(answer: Pick<TokenErrorAnswer, 'body' | 'description'>): readonly number[] {
  const listed = answer.body?.['error_codes']
  const numbers = Array.isArray(listed) ? listed.map(Number) : []
  const said = [...answer.description.matchAll(/AADSTS(\d{4,8})/g)].map(([, digits]) => Number(digits))
  return [...new Set([...said, ...numbers])].filter((code) => Number.isInteger(code))
}

/**
 * Tells a refusal of the scopes that were asked for from one of the token: the same token may do with the scopes
 * that were consented to. Personal accounts say it in words under 70000.
 */
export function isScopeRefusal(answer: TokenErrorAnswer): boolean {
  return (
    answer.status < 500 &&
    (answer.error === 'invalid_scope' ||
      aadstsCodes(answer).some((code) => SCOPE_CODES.has(code)) ||
      /scopes requested are unauthorized or expired/i.test(answer.description))
  )
}

/**
 * Judges an error answer of Microsoft's token endpoint by the table; `undefined` leaves it to the common rules.
 * A 5xx or 429 is never judged by its words: a failing service says nothing about the user.
 *
 * @param scopeWasOurs  nobody named the scope that was asked for: a missing consent is then no fault of the user's
 */
export function judgeMicrosoftTokenError(
  answer: TokenErrorAnswer,
  scopeWasOurs = false,
): ProviderError | undefined {
  if (isFailingService(answer)) return undefined
  const codes = aadstsCodes(answer)
  if (scopeWasOurs && codes.includes(CONSENT_MISSING)) {
    return verdictError(NOTHING_CONSENTED, answer, `AADSTS${CONSENT_MISSING}`)
  }
  for (const code of codes) {
    const rule = RULE_BY_CODE.get(code)
    if (rule) return verdictError(rule, answer, `AADSTS${code}`)
  }
  const verdict = Object.hasOwn(OAUTH_RULES, answer.error) ? OAUTH_RULES[answer.error] : undefined
  return verdict && verdictError(verdict, answer, codes[0] === undefined ? answer.error : `AADSTS${codes[0]}`)
}

/** Advises on a reason for which a grant died. */
export function adviseOnMicrosoftRefusal(reason: string): string | undefined {
  return adviceOf([...AADSTS_RULES, ...Object.values(OAUTH_RULES)], reason)
}
