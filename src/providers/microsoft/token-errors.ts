import { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { TOKEN_ERROR_RULES, type TokenErrorRule } from './token-error-rules.ts'

const RULE_BY_CODE = new Map(
  TOKEN_ERROR_RULES.flatMap((rule) => rule.codes.map((code) => [code, rule] as const)),
)

/** Codes that say that scopes were asked for that nobody consented to, or that do not exist. */
const SCOPE_CODES = new Set([65001, 65002, 70011, 28000, 28002, 28003, 650053, 650057])

const REAUTHENTICATE = 'Ask the user to sign in again and post the new refresh token.'

/**
 * The AADSTS numbers of an answer: from `error_codes` and from the text, the text's first (it names the cause).
 * @see learn.microsoft.com/entra/identity-platform/reference-error-codes (checked 2026-11)
 */
export function aadstsCodes(answer: Pick<TokenErrorAnswer, 'body' | 'description'>): readonly number[] {
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
 */
export function judgeMicrosoftTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  if (answer.status >= 500 || answer.status === 429) return undefined
  const codes = aadstsCodes(answer)
  const code = codes.find((number) => RULE_BY_CODE.has(number))
  const rule = code === undefined ? byError(answer.error) : RULE_BY_CODE.get(code)
  if (!rule) return undefined
  return new ProviderError(rule.kind, rule.message, {
    httpStatus: answer.status,
    providerCode: code === undefined ? answer.error : `AADSTS${code}`,
    providerBody: answer.shown,
    advice: rule.advice,
    answered: true,
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  })
}

/** For codes that nobody has written down: the OAuth error says whose turn it is. */
function byError(error: string): Omit<TokenErrorRule, 'codes' | 'source'> | undefined {
  switch (error) {
    case 'invalid_grant':
      return {
        kind: 'grant-revoked',
        message: 'Microsoft does not accept the refresh token.',
        advice: REAUTHENTICATE,
      }
    case 'interaction_required':
    case 'login_required':
      return {
        kind: 'grant-revoked',
        message: 'Microsoft wants the user to sign in again.',
        advice: REAUTHENTICATE,
      }
    case 'consent_required':
      return {
        kind: 'grant-revoked',
        message: 'The consent of the user is missing.',
        advice: 'Send the user (or an administrator) through consent again.',
      }
    default:
      return undefined
  }
}
