import { appError } from '../../contract/errors.ts'
import { grantId } from '../../contract/ids.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import { emailKeyOf } from './upsert-grant.ts'
import type { RefreshDeps } from './refresh-flight.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Finds a grant by any identifier form of contract/auth.md 1, always within the caller's application.
 *
 * @param capability  of the route: of several grants with one address, one whose provider has it is preferred
 * @throws AppError `grant.not_found`; 401 for `me`, which needs an access token
 */
export async function locateGrant(
  deps: RefreshDeps,
  caller: Caller,
  identifier: string,
  capability?: 'mail',
): Promise<GrantRecord> {
  if (identifier === 'me') throw appError('token.unauthorized_access', 'me needs an access token of a grant.')
  const found = await find(deps, caller, identifier, capability)
  if (!found) throw appError('grant.not_found')
  if (found.blocked) throw appError('api.resource_blocked')
  return found
}

async function find(
  deps: RefreshDeps,
  { applicationId }: Caller,
  identifier: string,
  capability: 'mail' | undefined,
): Promise<GrantRecord | null> {
  const { grants } = deps.database.stores
  const [, form, value] = /^(grant|email|external):(.*)$/s.exec(identifier) ?? []
  if (form === 'external' && value) return grants.findByAccountId(applicationId, value)
  const bare = value ?? identifier
  if (form === 'grant' || (form === undefined && UUID.test(bare))) {
    return grants.find(applicationId, grantId(bare.toLowerCase()))
  }
  const candidates = await grants.listByEmail(applicationId, emailKeyOf(bare))
  const rank = (grant: GrantRecord) =>
    (grant.status === 'valid' ? 2 : 0) +
    (capability && deps.providers.get(grant.provider)?.[capability] ? 1 : 0)
  const [best] = [...candidates].sort((a, b) => rank(b) - rank(a) || b.createdAt - a.createdAt)
  return best ?? null
}
