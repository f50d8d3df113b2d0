import { appError } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'
import type { GrantRecord } from '../ports/records.ts'
import { takenId } from './import-error.ts'
import type { KnownGrants } from './known-grants.ts'
import type { Candidate } from './resolve-row.ts'
import { isSameSecret } from './same-secret.ts'

export type Decision =
  | { readonly kind: 'skip' }
  | { readonly kind: 'fail'; readonly error: AppError }
  | { readonly kind: 'create' }
  | { readonly kind: 'update'; readonly grant: GrantRecord }
  /** the provider has to be asked, as connect/custom does */
  | { readonly kind: 'authenticate'; readonly grant: GrantRecord | null }

/**
 * Decides what to do with a row. A refresh token that is known is never stored again, whatever the file says: the
 * stored one may be newer.
 */
export function decideRow(candidate: Candidate, known: KnownGrants, verifiesNow: boolean): Decision {
  const { row, input } = candidate
  const grant = known.grantOf(candidate)
  const token = known.tokenOf(candidate)
  if (token?.kind === 'granted') {
    const isItsGrant = token.grantId === grant?.id || token.grantId === row.grantId
    return isItsGrant ? { kind: 'skip' } : fail('refresh_token belongs to a grant of another address')
  }
  if (grant && row.grantId !== undefined && row.grantId !== grant.id) {
    return fail('this mailbox has a grant already, and its id is not grant_id')
  }
  if (!grant && row.grantId !== undefined && known.isIdTaken(row.grantId)) {
    return { kind: 'fail', error: takenId('grant_id') }
  }
  const accountOwner = row.accountId === undefined ? undefined : known.ownerOfAccountId(row.accountId)
  if (accountOwner !== undefined && accountOwner !== grant?.id) {
    return { kind: 'fail', error: takenId('account_id') }
  }
  // A placeholder says nothing that a grant doesn't know.
  if (!input) return grant ? { kind: 'skip' } : { kind: 'create' }
  if (grant && isUnchanged(candidate, grant, known)) return { kind: 'skip' }
  // A token that was sent to the provider (attempted, pending) must not be stored as if it were untouched.
  if (verifiesNow || token) return { kind: 'authenticate', grant: grant ?? null }
  return grant ? { kind: 'update', grant } : { kind: 'create' }
}

function isUnchanged(candidate: Candidate, grant: GrantRecord, known: KnownGrants): boolean {
  if (!candidate.input || candidate.token) return false
  const stored = known.secretOf(grant.id)
  return (
    stored !== undefined &&
    candidate.credentialId === grant.credentialId &&
    isSameSecret(candidate.input.material.secret, stored)
  )
}

function fail(message: string): Decision {
  return { kind: 'fail', error: appError('api.invalid_request_error', message) }
}
