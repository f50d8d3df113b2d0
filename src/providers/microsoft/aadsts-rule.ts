import type { TokenVerdict } from '../../protocols/oauth2/token-verdict.ts'

/** One line of the table: what these AADSTS numbers mean for the grant. */
export interface AadstsRule extends TokenVerdict {
  readonly codes: readonly number[]
}

/** Microsoft's own list of the numbers. */
export const CODES = 'learn.microsoft.com/entra/identity-platform/reference-error-codes'
/** Not in that list: seen in public with this wording. */
export const REPORTS = 'public reports of the number; Microsoft’s page does not list it'
