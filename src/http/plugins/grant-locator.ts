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
