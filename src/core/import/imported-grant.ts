import { grantId, type GrantId } from '../../contract/ids.ts'
import type { GrantReason } from '../../contract/grant.ts'
import { type Clock, unixSeconds } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import { firstRefreshDueMs } from '../grants/refresh-schedule.ts'
import type { RefreshDeps } from '../grants/refresh-flight.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { StoredTokens } from '../ports/grant-secret-store.ts'
import type { Candidate } from './resolve-row.ts'

type Deps = Pick<RefreshDeps, 'clock' | 'ids' | 'grantVault'>

/** The grant of a row that no mailbox, id or account id stands against. */
export function newGrant(deps: Deps, caller: Caller, candidate: Candidate): GrantRecord {
  const { row, emailKey, module } = candidate
  const now = unixSeconds(deps.clock)
  return {
    id: row.grantId ?? timeOrderedId(deps),
    applicationId: caller.applicationId,
    provider: module.id,
    email: row.email,
    emailKey,
    providerUserId: null,
    name: row.name ?? null,
    state: row.state ?? null,
    ip: null,
    userAgent: null,
    accountId: row.accountId ?? null,
    blocked: false,
    createdAt: now,
    ...fromRow(deps, candidate, now),
  }
}

/** An existing grant with a row's new secret; what the row leaves open stays. */
export function renewedGrant(deps: Deps, grant: GrantRecord, candidate: Candidate): GrantRecord {
  const { row } = candidate
  const fresh = fromRow(deps, candidate, unixSeconds(deps.clock))
  return {
    ...grant,
    ...fresh,
    name: row.name ?? grant.name,
    state: row.state ?? grant.state,
    accountId: row.accountId ?? grant.accountId,
    // Who an unknown token belongs to is not known before the provider is asked.
    identityKey: fresh.identityKey ?? grant.identityKey,
  }
}

/** Seals a row's secret; it has no access token before the grant's first use. Null for a placeholder. */
export function sealImported(deps: Deps, grant: GrantRecord, candidate: Candidate): StoredTokens | null {
  const { input, account } = candidate
  if (!input) return null
  const nowMs = deps.clock.nowMs()
  const sealed = deps.grantVault.seal(grant.id, grant.applicationId, {
    secret: account?.secret ?? input.material.secret,
    tokens: null,
    superseded: null,
    nowMs,
  })
  const isRefreshed = input.module.identity.exchange !== undefined
  return { ...sealed, nextRefreshAtMs: isRefreshed ? firstRefreshDueMs(nowMs, Math.random()) : null }
}

function fromRow(deps: Deps, candidate: Candidate, now: number) {
  const { input, account, connector, credentialId, scope } = candidate
  return {
    connectorId: connector.id,
    credentialId,
    scope,
    status: input ? ('valid' as const) : ('invalid' as const),
    reason: input ? null : placeholderReason(now),
    settings: { ...input?.material.publicSettings, ...account?.publicSettings },
    identityKey: account?.identityKey ?? null,
    updatedAt: now,
  }
}

function placeholderReason(at: number): GrantReason {
  return {
    code: 'not_authenticated',
    message: 'This grant was imported without a refresh token or mailbox credentials.',
    advice:
      'The user must sign in: send the refresh token or credentials to POST /v3/connect/custom. The grant keeps its id.',
    at,
  }
}

/**
 * A UUID of version 7 (RFC 9562 section 5.7): those made one after the other lie side by side in the indexes, where a
 * million random ones would touch every page.
 */
function timeOrderedId({ clock, ids }: { readonly clock: Clock; readonly ids: Ids }): GrantId {
  const time = Math.floor(clock.nowMs()).toString(16).padStart(12, '0').slice(-12)
  return grantId(`${time.slice(0, 8)}-${time.slice(8)}-7${ids.uuid().slice(15)}`)
}
