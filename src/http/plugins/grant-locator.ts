import { appError } from '../../contract/errors.ts'
import type { GrantRecord } from '../../core/ports/records.ts'
import type { Caller, GrantService } from '../../core/ports/services.ts'

/**
 * Finds the grant a data route names, in any documented form, and refuses a blocked one.
 * Whether it is still valid is the use-case's question: reading the grant itself must go on.
 * @throws AppError 404 `grant.not_found`, 401 for `me` with an API key, 423 `api.resource_blocked`
 */
export async function locateGrant(
  grants: GrantService,
  caller: Caller,
  identifier: string,
  capability: 'mail',
): Promise<GrantRecord> {
  const grant = await grants.locate(caller, identifier, capability)
  if (grant.blocked) throw appError('api.resource_blocked', 'The grant is blocked.')
  return grant
}

const GRANT_ID = /^(grant:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Puts the address of a shared mailbox in the place of its owner's grant, where `shared_from` names that one
 * (contract/email.md 3.2).
 * @throws as `locateGrant`: an access token names no grant but its own
 */
export async function nameSharedMailbox(
  grants: GrantService,
  caller: Caller | null,
  query: unknown,
): Promise<unknown> {
  if (caller === null || typeof query !== 'object' || query === null || !('shared_from' in query))
    return query
  const { shared_from: owner } = query
  if (typeof owner !== 'string' || !GRANT_ID.test(owner)) return query
  return { ...query, shared_from: (await locateGrant(grants, caller, owner, 'mail')).email }
}
