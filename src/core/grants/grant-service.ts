import { appError } from '../../contract/errors.ts'
import { grantId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller, GrantService } from '../ports/services.ts'
import type { AccessTokens } from './access-tokens.ts'
import { createAuthenticate } from './authenticate.ts'
import { createConnectCustom, scopeOf } from './connect-custom.ts'
import { readConnectInput } from './connect-input.ts'
import { locateGrant } from './locate-grant.ts'
import { grantEvent } from './outbox-event.ts'
import type { RefreshDeps } from './refresh-flight.ts'
import { createRevokeAtProvider } from './revoke-at-provider.ts'
import type { GrantSessions } from './sessions.ts'
import { emailKeyOf } from './upsert-grant.ts'

/** The use-cases of grants, for http. */
export function createGrantService(
  deps: RefreshDeps & { readonly accessTokens: AccessTokens; readonly sessions: GrantSessions },
): GrantService {
  const { grants } = deps.database.stores
  const connectCustom = createConnectCustom(deps)
  const authenticate = createAuthenticate(deps)
  const revokeAtProvider = createRevokeAtProvider(deps)

  return {
    connectCustom,
    list: (caller, filter, page) =>
      grants.list(
        caller.applicationId,
        filter.email === undefined ? filter : { ...filter, email: emailKeyOf(filter.email) },
        page,
      ),
    locate: (caller, identifier, capability) => locateGrant(deps, caller, identifier, capability),
    async aliases(grant, context) {
      const { aliases } = deps.providers.get(grant.provider)?.identity ?? {}
      if (!aliases || grant.status === 'invalid') return []
      return deps.sessions.use(grant, context, (session) => aliases(session))
    },
    async update(caller, grant, body) {
      if (body.settings === undefined && body.scope === undefined) {
        throw appError('api.invalid_request_error', 'settings or scope is required.')
      }
      if (body.settings === undefined) return relabel(caller, grant, body.scope ?? grant.scope)
      const input = await readConnectInput(deps, caller, grant.provider, body.settings)
      const scope = body.scope === undefined ? grant.scope : scopeOf(input, body.scope)
      const updated = await authenticate(
        { caller, input, scope, state: null, ip: null, userAgent: null, onto: grant },
        {
          acquired(acquired) {
            if (acquired.kind === 'granted' && acquired.grant.id !== grant.id) throw otherMailbox()
          },
          account(account) {
            if (emailKeyOf(account.email) !== grant.emailKey) throw otherMailbox()
          },
        },
      )
      return updated.grant
    },
    async delete(caller, grant, context) {
      const revoke = await revokeAtProvider.prepare(grant)
      const deleted = await deps.database.transaction(async (stores) => {
        if (!(await stores.grants.delete(grant.applicationId, grant.id))) return false
        await stores.outbox.insert(grantEvent('grant.deleted', grant, deps))
        await stores.audit.insert(auditEntry(caller, grant, 'grant.deleted'))
        return true
      })
      if (!deleted) throw appError('grant.not_found')
      deps.accessTokens.forget(grant.id)
      await revoke?.(context.signal)
    },
  }

  /** Scope of a grant is a label: it does not change what the provider permits (contract/auth.md 6). */
  async function relabel(caller: Caller, grant: GrantRecord, scope: readonly string[]): Promise<GrantRecord> {
    const normalize = deps.providers.get(grant.provider)?.connector.normalizeScope
    const changed = { ...grant, scope: normalize ? scope.map((one) => normalize(one)) : scope }
    await deps.database.transaction(async (stores) => {
      const current = await stores.grants.findLocked(grant.applicationId, grantId(grant.id))
      if (!current) throw appError('grant.not_found')
      await stores.grants.update({ ...current, scope: changed.scope })
      await stores.outbox.insert(grantEvent('grant.updated', changed, deps))
      await stores.audit.insert(auditEntry(caller, grant, 'grant.scope_changed'))
    })
    return changed
  }

  function auditEntry(caller: Caller, grant: GrantRecord, action: string) {
    return {
      id: deps.ids.uuid(),
      applicationId: caller.applicationId,
      actor: caller.actor,
      action,
      target: `grant:${grant.id}`,
      detail: { provider: grant.provider },
      createdAt: unixSeconds(deps.clock),
    }
  }
}

function otherMailbox() {
  return appError('grant.reauth_email_invalid', 'settings belong to another account than this grant.')
}
