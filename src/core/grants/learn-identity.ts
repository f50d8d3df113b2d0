import { LRUCache } from 'lru-cache'
import type { GrantId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { patientDeadline } from '../../kit/deadline.ts'
import { auditWrite } from '../applications/audit-write.ts'
import type { Account, GrantSecret, ProviderClient, Tokens } from '../ports/identity.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Stores } from '../ports/stores.ts'
import type { RefreshDeps } from './refresh-flight.ts'
import { emailKeyOf } from './upsert-grant.ts'

/** A refresh whose answer is stored. */
interface StoredRefresh {
  readonly grant: GrantRecord
  readonly client: ProviderClient
  readonly secret: GrantSecret
  readonly tokens: Tokens
  /** of the secret it was stored as */
  readonly version: number
}

/** Finds out whose a grant is that was imported without asking its provider. */
export interface IdentityLearner {
  /** Asks in the background, once, where it is not known; nobody waits and nothing fails. */
  learn(refresh: StoredRefresh): void
  /** Resolves when nobody is being asked. */
  idle(): Promise<void>
}

const ACTION = 'grant.address_differs'
const IDENTIFY_DEADLINE_MS = 10_000
/** A provider that hangs must not pile up calls: the next refresh of those left out is their next chance. */
const MOST_AT_ONCE = 64
/** Grants whose provider didn't say are not asked again at each refresh. */
const REMEMBERED = 20_000

/**
 * Makes what fills in identities (design.md section 4, "Who a grant is"). The account's address may be another than the
 * imported one: an alias of the same mailbox, or a row with somebody else's token. The two look the same from here, and a
 * grant dies for its user's reasons only: it stays valid, and the log and the audit log tell.
 */
export function createIdentityLearner(deps: RefreshDeps): IdentityLearner {
  const running = new Set<Promise<unknown>>()
  const answered = new LRUCache<GrantId, true>({ maxSize: REMEMBERED, sizeCalculation: () => 1 })

  return {
    learn(refresh) {
      const { id, identityKey, providerUserId } = refresh.grant
      if (identityKey !== null || providerUserId !== null) return
      if (answered.has(id) || running.size >= MOST_AT_ONCE) return
      const learning = learn(refresh).catch((error: unknown) => {
        deps.log.debug({ grantId: id, err: error }, 'grant.not_identified')
      })
      running.add(learning)
      void learning.then(() => running.delete(learning))
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }

  async function learn({ grant, client, secret, tokens, version }: StoredRefresh): Promise<void> {
    const identity = deps.providers.get(grant.provider)?.identity
    if (!identity) return
    const account = await identity.identify({
      client,
      secret,
      tokens,
      publicSettings: grant.settings,
      signal: patientDeadline(IDENTIFY_DEADLINE_MS),
    })
    const differs = emailKeyOf(account.email) !== grant.emailKey
    const isNew = await deps.database
      .transaction((stores) => note(stores, grant, account, { version, differs }))
      .catch((error: unknown) => {
        if (error instanceof ReplacedError) return false
        throw error
      })
    answered.set(grant.id, true)
    if (!isNew || !differs) return
    deps.log.warn(
      {
        grantId: grant.id,
        provider: grant.provider,
        advice:
          'This grant was imported unverified, and its provider says that the account has another address. If that is ' +
          'no alias of the same mailbox, send the right refresh token to PATCH /v3/grants/{id}.',
      },
      ACTION,
    )
  }

  /**
   * @returns false when all of it is known already
   * @throws ReplacedError when the grant is gone or has a newer secret
   */
  async function note(
    stores: Stores,
    grant: GrantRecord,
    account: Account,
    { version, differs }: { readonly version: number; readonly differs: boolean },
  ): Promise<boolean> {
    const target = `grant:${grant.id}`
    const { identityKey, providerUserId = null, name, scope } = account
    const isSaid = identityKey !== null || providerUserId !== null
    if (isSaid) {
      // First, so that the grant's row is locked: a re-authentication comes before the look at the version, or after
      // all of this, and then wins.
      const fields = { identityKey, providerUserId, name, scope, updatedAt: unixSeconds(deps.clock) }
      if (!(await stores.grants.noteIdentity(grant.applicationId, grant.id, fields))) return false
    }
    if ((await stores.secrets.find(grant.id))?.version !== version) throw new ReplacedError()
    if (!differs) return true
    // An identity is noted once; without one, only the log itself tells that this was written before.
    const before = isSaid ? [] : await stores.audit.list({ applicationId: null, target }, { limit: 100 })
    if (before.some(({ action }) => action === ACTION)) return false
    const system = { applicationId: grant.applicationId, actor: 'system' }
    const detail = { provider: grant.provider, account: maskedAddress(account.email) }
    await auditWrite(stores, deps, system, ACTION, target, detail)
    return true
  }
}

/** Undoes the transaction: what was asked about is not the grant's secret any more. */
class ReplacedError extends Error {}

/** Enough to recognise an address one knows: its first character and its domain. */
function maskedAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 1 ? '***' : `${address.slice(0, 1)}***${address.slice(at)}`
}
