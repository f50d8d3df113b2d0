import { appError } from '../../contract/errors.ts'
import { type GrantId, grantId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { together } from '../../kit/together.ts'
import { takenId } from '../import/import-error.ts'
import type { Account } from '../ports/identity.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import type { StoredTokens } from '../ports/grant-secret-store.ts'
import type { Acquired } from './acquire-tokens.ts'
import type { ConnectInput } from './connect-input.ts'
import { grantEvent } from './outbox-event.ts'
import type { RefreshDeps } from './refresh-flight.ts'

/** Undoes the transaction: what was acquired has been used up, renewed or refused meanwhile. */
class OvertakenError extends Error {}

/** Undoes the transaction: another request has made the grant of this mailbox since it was looked up. */
class MailboxTakenError extends Error {}

const nothing = Promise.resolve()

/** What a new authentication brings to a grant, all of it checked at the provider. */
export interface Authentication {
  readonly caller: Caller
  readonly input: ConnectInput
  readonly acquired: Acquired
  readonly account: Account
  readonly scope: readonly string[]
  readonly state: string | null
  readonly ip: string | null
  readonly userAgent: string | null
  /** PATCH of a grant, or its re-authentication: this one and no other */
  readonly onto?: GrantRecord
  /**
   * Hosted pages: whoever signs in there is not trusted as the holder of an API key is, so that nobody re-points
   * another's mailbox. Tells whether the grant that stands may become the one of this account.
   */
  readonly mayTake?: (existing: GrantRecord, account: Account) => boolean
  /** What an import brings along. */
  readonly imported?: ImportedParts
}

interface ImportedParts {
  /** of a new grant; undefined: any */
  readonly grantId: GrantId | undefined
  readonly accountId: string | undefined
  readonly name: string | undefined
  readonly sendsEvents: boolean
}

/** The key a grant is found again by: lower-cased in JavaScript, never by SQL. */
export function emailKeyOf(email: string): string {
  return email.trim().toLowerCase()
}

/**
 * Makes the grant, or renews the one of the same mailbox: secret, seen tokens, event and audit row in one
 * transaction. The same mailbox keeps its grant id and its creation time (contract/auth.md 2.3).
 *
 * @returns null when another request has used or renewed the pending secret meanwhile, so that this one's is not
 *          the newest, or when the grant has died since its token was refreshed for this: acquire again
 * @throws AppError `grant.not_found` when the grant was deleted meanwhile
 */
export function createUpsertGrant(deps: RefreshDeps) {
  return async function upsert(authentication: Authentication): Promise<GrantRecord | null> {
    // A second try finds the grant that another request has made between our look-up and our insert.
    for (let tries = 0; ; tries++) {
      try {
        const made = await deps.database.transaction((stores) => write(stores, authentication))
        if (made) return made
      } catch (error) {
        if (error instanceof OvertakenError) return null
        if (!(error instanceof MailboxTakenError)) throw error
      }
      if (tries > 3) throw new Error('the grant of this mailbox could not be written')
    }
  }

  async function write(stores: Stores, authentication: Authentication): Promise<GrantRecord | null> {
    const { caller, input, account, acquired } = authentication
    const emailKey = emailKeyOf(account.email)
    const bound = authentication.onto ?? (acquired.kind === 'granted' ? acquired.grant : null)
    const [connector, known] = await together(
      stores.connectors.find(caller.applicationId, input.module.id),
      bound
        ? Promise.resolve(bound)
        : stores.grants.findByMailbox(caller.applicationId, input.module.id, emailKey),
    )
    if (connector?.id !== input.connector.id) {
      // Deleted while the provider was asked: a grant without a connector could never be used.
      throw appError('connector.missing')
    }
    // Locked: whether it is alive is decided here, after whoever has just changed it.
    const existing = known && (await stores.grants.findLocked(caller.applicationId, known.id))
    if (known && !existing) {
      if (bound) throw appError('grant.not_found')
      return null
    }
    if (existing && (await hasDied(stores, existing, acquired))) throw new OvertakenError()
    if (existing && authentication.mayTake && !authentication.mayTake(existing, account)) {
      throw appError('grant.reauth_email_invalid', 'This address is connected as another account.')
    }
    const grant = existing ? renewed(existing, authentication) : created(authentication, emailKey)
    await checkTakenIds(stores, grant, authentication, existing !== null)
    if (existing) {
      // The address of a bound grant stays as it is when another grant has the account's new one.
      const holder =
        grant.emailKey === existing.emailKey
          ? null
          : await stores.grants.findByMailbox(caller.applicationId, input.module.id, grant.emailKey)
      const kept = holder ? { ...grant, email: existing.email, emailKey: existing.emailKey } : grant
      await stores.grants.update(kept)
      const version = await replaceSecret(stores, grant, authentication)
      await together(
        version === null ? nothing : usePending(stores, grant, acquired, version),
        note(stores, grant, existing, authentication),
      )
      return grant
    }
    const inserted = stores.grants.insert(grant)
    // Of an id that an import brings along, another grant may have its secret already.
    if (authentication.imported?.grantId !== undefined && !(await inserted)) throw new MailboxTakenError()
    const [isOurs] = await together(
      inserted,
      stores.secrets.insert(grant.id, grant.applicationId, seal(grant, authentication)),
      usePending(stores, grant, acquired, 1),
      note(stores, grant, null, authentication),
    )
    if (!isOurs) throw new MailboxTakenError()
    return grant
  }

  /**
   * Whether the grant whose own token was refreshed for this has been refused since: asking whose it is takes time, and
   * what was true before must not bring it back. Whatever makes a secret good again schedules its next refresh.
   */
  async function hasDied(stores: Stores, { id, status }: GrantRecord, acquired: Acquired): Promise<boolean> {
    if (status === 'valid' || acquired.kind !== 'granted' || acquired.grant.id !== id) return false
    return ((await stores.secrets.find(id))?.nextRefreshAtMs ?? null) === null
  }

  /** @returns the version of the new secret; null where there is nothing newer than what stands there */
  async function replaceSecret(
    stores: Stores,
    grant: GrantRecord,
    authentication: Authentication,
  ): Promise<number | null> {
    // A granted token was stored by its refresh, under the lease.
    const { acquired } = authentication
    if (acquired.kind === 'granted' && acquired.grant.id === grant.id) return null
    return stores.secrets.replace(grant.id, seal(grant, authentication))
  }

  function seal(grant: GrantRecord, { account, acquired }: Authentication): StoredTokens {
    return deps.grantVault.seal(grant.id, grant.applicationId, {
      secret: account.secret ?? acquired.secret,
      tokens: acquired.tokens,
      superseded: null,
      nowMs: deps.clock.nowMs(),
    })
  }

  /** Lets the tokens that led to the pending secret lead to the grant. */
  async function usePending(
    stores: Stores,
    { id }: GrantRecord,
    acquired: Acquired,
    version: number,
  ): Promise<void> {
    if (acquired.kind !== 'pending') return
    const [, isUnused] = await together(
      stores.seenTokens.grantPending(acquired.pendingId, id, version),
      stores.pendingSecrets.delete(acquired.pendingId, acquired.pendingVersion),
    )
    // Another request may have made the grant of it, and refreshed it since; or renewed it. Its token is newer.
    if (!isUnused) throw new OvertakenError()
  }

  /** Writes the event and the audit row. */
  function note(
    stores: Stores,
    grant: GrantRecord,
    existing: GrantRecord | null,
    { caller, account, imported }: Authentication,
  ): Promise<unknown> {
    const event = existing
      ? grantEvent('grant.updated', grant, deps, { reauthenticated: true })
      : grantEvent('grant.created', grant, deps)
    return together(
      (imported?.sendsEvents ?? true) ? stores.outbox.insert(event) : nothing,
      stores.audit.insert({
        id: deps.ids.uuid(),
        applicationId: caller.applicationId,
        actor: caller.actor,
        action: existing ? 'grant.reauthenticated' : 'grant.created',
        target: `grant:${grant.id}`,
        detail: {
          provider: grant.provider,
          ...(isOtherIdentity(existing, account)
            ? { identity_changed: true, before: existing?.identityKey, after: account.identityKey }
            : {}),
        },
        createdAt: unixSeconds(deps.clock),
      }),
    )
  }

  function created(authentication: Authentication, emailKey: string): GrantRecord {
    const { caller, input, account, imported } = authentication
    const now = unixSeconds(deps.clock)
    return {
      id: imported?.grantId ?? grantId(deps.ids.uuid()),
      applicationId: caller.applicationId,
      connectorId: input.connector.id,
      provider: input.module.id,
      email: account.email.trim(),
      emailKey,
      accountId: imported?.accountId ?? null,
      blocked: false,
      createdAt: now,
      ...authenticated(authentication, now),
      identityKey: account.identityKey,
      providerUserId: account.providerUserId ?? null,
      name: account.name ?? imported?.name ?? null,
    }
  }

  function renewed(existing: GrantRecord, authentication: Authentication): GrantRecord {
    const { account, input, imported } = authentication
    return {
      ...existing,
      accountId: imported?.accountId ?? existing.accountId,
      connectorId: input.connector.id,
      email: account.email.trim(),
      emailKey: emailKeyOf(account.email),
      ...authenticated(authentication, unixSeconds(deps.clock)),
      // Null where the provider didn't say this time: what is known stays.
      identityKey: account.identityKey ?? existing.identityKey,
      providerUserId: account.providerUserId ?? existing.providerUserId,
      name: account.name ?? imported?.name ?? existing.name,
      state: authentication.state ?? existing.state,
      ip: authentication.ip ?? existing.ip,
      userAgent: authentication.userAgent ?? existing.userAgent,
    }
  }
}

/** @throws AppError where an id that an import wants to keep is another grant's */
async function checkTakenIds(
  stores: Stores,
  grant: GrantRecord,
  { imported }: Authentication,
  isRenewal: boolean,
): Promise<void> {
  if (!imported) return
  const wantsId = imported.grantId !== undefined && !isRenewal
  if (wantsId && (await stores.imports.findTakenIds([grant.id])).has(grant.id)) throw takenId('grant_id')
  const { accountId } = imported
  if (accountId === undefined) return
  const owner = (await stores.imports.findAccountIds(grant.applicationId, [accountId])).get(accountId)
  if (owner !== undefined && owner !== grant.id) throw takenId('account_id')
}

function authenticated({ input, account, scope, state, ip, userAgent }: Authentication, now: number) {
  return {
    status: 'valid' as const,
    reason: null,
    scope: account.scope ?? scope,
    settings: { ...input.material.publicSettings, ...account.publicSettings },
    credentialId: input.credentialId,
    state,
    ip,
    userAgent,
    updatedAt: now,
  }
}

/** The guard compares only two known keys (design.md section 4, "Who a grant is"). */
export function isOtherIdentity(existing: GrantRecord | null, account: Account): boolean {
  return (
    existing !== null &&
    existing.identityKey !== null &&
    account.identityKey !== null &&
    existing.identityKey !== account.identityKey
  )
}
