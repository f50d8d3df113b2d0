import { appError } from '../../contract/errors.ts'
import { grantId, type GrantId } from '../../contract/ids.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import { emailKeyOf } from './upsert-grant.ts'
import type { RefreshDeps } from './refresh-flight.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Finds a grant by any identifier form of contract/auth.md 1, always within the caller's application.
 *
 * @param capability  of the route: of several grants with one address, one whose provider has it is preferred
 * @throws AppError `grant.not_found`; 401 for `me` with an API key; 403 `grant.access_denied` for an access token and
 *         anything but its own grant, whether it exists or not
 */
export async function locateGrant(
  deps: RefreshDeps,
  caller: Caller,
  identifier: string,
  capability?: 'mail',
): Promise<GrantRecord> {
  const found = caller.grantId
    ? await findOwn(deps, { ...caller, grantId: caller.grantId }, identifier)
    : await find(deps, caller, identifier, capability)
  if (!found) throw appError('grant.not_found')
  if (found.blocked) throw appError('api.resource_blocked')
  return found
}

/** An identifier, read: `<uuid>`, `grant:<uuid>`, `<email>`, `email:<email>`, `external:<account id>`. */
function readIdentifier(identifier: string): {
  readonly form: 'grant' | 'email' | 'external'
  readonly value: string
} {
  const [, form, value] = /^(grant|email|external):(.*)$/s.exec(identifier) ?? []
  if (form === 'external' && value) return { form, value }
  const bare = value ?? identifier
  if (form === 'grant' || (form === undefined && UUID.test(bare))) {
    return { form: 'grant', value: bare.toLowerCase() }
  }
  return { form: 'email', value: emailKeyOf(bare) }
}

/** The grant of an access token, where the identifier means it: it must not tell what else there is. */
async function findOwn(
  deps: RefreshDeps,
  caller: Caller & { readonly grantId: GrantId },
  identifier: string,
): Promise<GrantRecord | null> {
  const own = await deps.database.stores.grants.find(caller.applicationId, caller.grantId)
  if (!own || identifier === 'me') return own
  const { form, value } = readIdentifier(identifier)
  const names = { grant: own.id, email: own.emailKey, external: own.accountId }
  if (names[form] !== value) throw appError('grant.access_denied')
  return own
}

async function find(
  deps: RefreshDeps,
  { applicationId }: Caller,
  identifier: string,
  capability: 'mail' | undefined,
): Promise<GrantRecord | null> {
  if (identifier === 'me') throw appError('token.unauthorized_access', 'me needs an access token of a grant.')
  const { grants } = deps.database.stores
  const { form, value } = readIdentifier(identifier)
  if (form === 'external') return grants.findByAccountId(applicationId, value)
  if (form === 'grant') return grants.find(applicationId, grantId(value))
  const candidates = await grants.listByEmail(applicationId, value)
  const rank = (grant: GrantRecord) =>
    (grant.status === 'valid' ? 2 : 0) +
    (capability && deps.providers.get(grant.provider)?.[capability] ? 1 : 0)
  const [best] = [...candidates].sort((a, b) => rank(b) - rank(a) || b.createdAt - a.createdAt)
  return best ?? null
}
