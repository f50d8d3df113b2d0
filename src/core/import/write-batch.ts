import { appError } from '../../contract/errors.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { grantEvent } from '../grants/outbox-event.ts'
import type { RefreshDeps } from '../grants/refresh-flight.ts'
import type { NewImportedGrant } from '../ports/import.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import { newGrant, renewedGrant, sealImported } from './imported-grant.ts'
import type { Candidate } from './resolve-row.ts'

export interface BatchWork {
  readonly create: readonly Candidate[]
  readonly update: readonly { readonly candidate: Candidate; readonly grant: GrantRecord }[]
  /** rows of the same batch that need no writing, for the audit log */
  readonly skipped: number
  readonly failed: number
}

/** A batch whose new grants are sealed, ready to be written. */
export interface PreparedBatch extends BatchWork {
  readonly made: readonly (NewImportedGrant & { readonly candidate: Candidate })[]
  readonly sendsEvents: boolean
}

export interface BatchWritten {
  readonly created: readonly Candidate[]
  readonly updated: readonly Candidate[]
  /** somebody else made the mailbox's grant, took the id or brought the token meanwhile: look again */
  readonly again: readonly Candidate[]
  readonly changedGrants: readonly GrantRecord['id'][]
}

/** Makes and seals the new grants: while the database writes the batch before, so outside the turn to write. */
export function prepareBatch(
  deps: RefreshDeps,
  caller: Caller,
  work: BatchWork,
  sendsEvents: boolean,
): PreparedBatch {
  const made = work.create.map((candidate) => prepareNew(deps, caller, candidate, sendsEvents))
  return { ...work, made, sendsEvents }
}

/**
 * Writes grants, secrets, seen tokens, events and one audit row in one transaction: after a crash either all rows of
 * the batch are there or none.
 */
export async function writeBatch(
  deps: RefreshDeps,
  caller: Caller,
  work: PreparedBatch,
): Promise<BatchWritten> {
  const { made, sendsEvents } = work
  return deps.database.transaction(async (stores) => {
    await checkConnectors(stores, caller, [...work.create, ...work.update.map((one) => one.candidate)])
    const again: Candidate[] = []
    // First: a token whose row is ours can't be brought by another request any more.
    const tokens = [
      ...made.map(({ candidate, grant }) => ({ candidate, grantId: grant.id })),
      ...work.update.map(({ candidate, grant }) => ({ candidate, grantId: grant.id })),
    ]
    const ours = await stores.imports.insertSeenTokens(
      tokens.flatMap(({ candidate, grantId }) =>
        candidate.token ? [{ key: candidate.token, grantId }] : [],
      ),
    )
    const isOurs = ({ token }: Candidate) => token === null || ours.has(token.digest)

    const toInsert = made.filter(({ candidate }) => isOurs(candidate))
    const inserted = await stores.imports.insertGrants(toInsert)
    const isMade = ({ candidate, grant }: (typeof made)[number]) =>
      isOurs(candidate) && inserted.has(grant.id)
    const created = made.filter(isMade).map(({ candidate }) => candidate)
    again.push(...made.filter((one) => !isMade(one)).map(({ candidate }) => candidate))

    const updated: Candidate[] = []
    const changedGrants: GrantRecord['id'][] = []
    for (const { candidate, grant } of work.update) {
      const renewed = isOurs(candidate) && (await renew(deps, stores, candidate, grant, sendsEvents))
      if (!renewed) again.push(candidate)
      else {
        updated.push(candidate)
        changedGrants.push(grant.id)
      }
    }
    const lost = again.flatMap(({ token }) => (token && ours.has(token.digest) ? [token.digest] : []))
    await stores.imports.deleteSeenTokens(caller.applicationId, lost)
    await stores.audit.insert({
      id: deps.ids.uuid(),
      applicationId: caller.applicationId,
      actor: caller.actor,
      action: 'grants.imported',
      target: `application:${caller.applicationId}`,
      detail: {
        created: created.length,
        updated: updated.length,
        skipped: work.skipped,
        failed: work.failed,
      },
      createdAt: unixSeconds(deps.clock),
    })
    return { created, updated, again, changedGrants }
  })
}

function prepareNew(
  deps: RefreshDeps,
  caller: Caller,
  candidate: Candidate,
  sendsEvents: boolean,
): NewImportedGrant & { readonly candidate: Candidate } {
  const grant = newGrant(deps, caller, candidate)
  return {
    candidate,
    grant,
    secret: sealImported(deps, grant, candidate),
    event: sendsEvents ? grantEvent('grant.created', grant, deps) : null,
  }
}

async function renew(
  deps: RefreshDeps,
  stores: Stores,
  candidate: Candidate,
  { id, applicationId }: GrantRecord,
  sendsEvents: boolean,
): Promise<boolean> {
  const current = await stores.grants.find(applicationId, id)
  if (!current) return false
  const renewed = renewedGrant(deps, current, candidate)
  const sealed = sealImported(deps, renewed, candidate)
  if (!sealed || !(await stores.grants.update(renewed))) return false
  const version = await stores.secrets.replace(id, sealed)
  if (candidate.token) await stores.seenTokens.setGranted(candidate.token, id, version)
  if (sendsEvents) {
    await stores.imports.insertEvents([grantEvent('grant.updated', renewed, deps, { reauthenticated: true })])
  }
  return true
}

/** A grant without a connector could never be used. */
async function checkConnectors(
  stores: Stores,
  caller: Caller,
  candidates: readonly Candidate[],
): Promise<void> {
  const wanted = new Map(candidates.map(({ connector }) => [connector.provider, connector.id]))
  for (const [provider, id] of wanted) {
    const now = await stores.connectors.find(caller.applicationId, provider)
    // The batch is sent again, and its rows then say which connector is missing.
    if (now?.id !== id) throw appError('api.unavailable', 'A connector was replaced during the import.')
  }
}
