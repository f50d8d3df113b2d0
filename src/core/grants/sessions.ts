import { appError } from '../../contract/errors.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GrantSession } from '../ports/grant-session.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { RequestContext } from '../ports/services.ts'
import { dataFailure } from '../provider-failure.ts'
import type { AccessTokens } from './access-tokens.ts'
import { invalidateGrant } from './invalidate.ts'
import { reasonOfRefusal } from './reason.ts'
import { expiredError } from './refresh-failure.ts'
import type { RefreshDeps } from './refresh-flight.ts'

/** Lets a provider act for a grant. */
export interface GrantSessions {
  /**
   * Runs `work` with a session of a valid grant, and turns the provider's failures into documented errors. A
   * secret that the provider refuses for good makes the grant invalid.
   * @throws AppError; 401 `grant.expired` for an invalid grant, 423 for a blocked one
   */
  use<T>(grant: GrantRecord, context: RequestContext, work: (session: GrantSession) => Promise<T>): Promise<T>
}

/** Which stored secret a session signed in with: a refusal is about that one only. */
interface UsedSecret {
  version: number | null
}

export function createGrantSessions(
  deps: RefreshDeps & { readonly accessTokens: AccessTokens },
): GrantSessions {
  return {
    async use(grant, context, work) {
      if (grant.blocked) throw appError('api.resource_blocked')
      if (grant.status === 'invalid') throw expiredError(grant.reason)
      const used: UsedSecret = { version: null }
      try {
        return await work(openSession(grant, context, used))
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error
        if (error.kind !== 'grant-revoked' || used.version === null) throw dataFailure(error)
        const module = deps.providers.get(grant.provider)
        const reason = reasonOfRefusal(error, unixSeconds(deps.clock), { grant, module })
        await invalidateGrant(deps, grant, reason, used.version)
        throw expiredError(reason)
      }
    },
  }

  function openSession(grant: GrantRecord, context: RequestContext, used: UsedSecret): GrantSession {
    return {
      grantId: grant.id,
      email: grant.email,
      scope: grant.scope,
      settings: grant.settings,
      signal: context.signal,
      // Made when it is needed: most requests log nothing of their own.
      get log() {
        return deps.log.child({ requestId: context.requestId, grantId: grant.id, provider: grant.provider })
      },
      spend({ requests, gmailUnits = 0 }) {
        if (!context.usage) return
        context.usage.requests += requests
        context.usage.gmailUnits += gmailUnits
      },
      accessToken: async () => (await deps.accessTokens.current(grant)).token,
      replaceRejected: (rejected) => deps.accessTokens.replaceRejected(grant, rejected),
      async secret() {
        const row = await deps.database.stores.secrets.find(grant.id)
        if (!row) throw appError('grant.not_found')
        used.version = row.version
        return await deps.grantVault.secret(row)
      },
    }
  }
}
