import { appError } from '../../contract/errors.ts'
import type { AccessTokens } from '../grants/access-tokens.ts'
import { createAuthenticate } from '../grants/authenticate.ts'
import type { RefreshDeps } from '../grants/refresh-flight.ts'
import { emailKeyOf } from '../grants/upsert-grant.ts'
import type { ImportOptions, ImportService, RawRow, RowResult } from '../ports/import.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import { type Decision, decideRow } from './decide-row.ts'
import { toRowError } from './import-error.ts'
import { lookUp, mailboxKey, tokenKey } from './known-grants.ts'
import { readImportRow } from './read-row.ts'
import { cachedForBatch, type Candidate, resolveRow } from './resolve-row.ts'
import { type BatchWork, prepareBatch, writeBatch } from './write-batch.ts'

/** Rows that ask their provider at the same time. */
const VERIFY_AT_ONCE = 16
/** Each more is another process that made the same grant, or took the same id, a moment earlier. */
const MOST_CONFLICTS = 5

type Record = (candidate: Candidate, outcome: 'created' | 'updated' | 'skipped') => void
type RecordFailure = (candidate: Candidate, error: unknown) => void

/**
 * Imports grants in batches. Each row is decided against what is stored, so that the same file may be imported again
 * at any time: after a crash it goes on where it stopped.
 */
export function createImporter(deps: RefreshDeps & { readonly accessTokens: AccessTokens }): ImportService {
  const authenticate = createAuthenticate(deps)
  const lookUpDeps = { imports: deps.database.stores.imports, grantVault: deps.grantVault }
  let lastWrite: Promise<unknown> = Promise.resolve()

  return {
    async importRows(caller, rows, options) {
      const results: RowResult[] = []
      const record: Record = ({ index, line, row }, outcome) => {
        results[index] = { line, outcome, ...(row.ignored.length > 0 ? { ignored: row.ignored } : {}) }
      }
      const recordFailure: RecordFailure = ({ index, line, row }, error) => {
        results[index] = { line, outcome: 'failed', email: row.email, error: toRowError(error) }
      }
      let open = await readBatch(caller, rows, options, results)
      const conflicts = new Map<Candidate, number>()
      while (open.length > 0) {
        const { now, later } = withoutRepeats(open)
        const conflicting = await importOnce(caller, now, options, { results, record, recordFailure })
        const again = conflicting.filter((candidate) => {
          const count = (conflicts.get(candidate) ?? 0) + 1
          conflicts.set(candidate, count)
          if (count <= MOST_CONFLICTS) return true
          recordFailure(candidate, appError('api.invalid_request_error', 'other requests change this grant'))
          return false
        })
        if (options.dryRun) {
          foreseeRepeats(now, later, { record, recordFailure })
          break
        }
        open = [...again, ...later].toSorted((a, b) => a.index - b.index)
      }
      return results
    },
  }

  /** Reads and resolves the rows of a batch; those that can't be are failed already. */
  async function readBatch(
    caller: Caller,
    rows: readonly RawRow[],
    options: ImportOptions,
    results: RowResult[],
  ): Promise<readonly Candidate[]> {
    const cached = cachedForBatch(deps)
    const candidates: Candidate[] = []
    for (const [index, raw] of rows.entries()) {
      const { line } = raw
      let email: string | undefined
      try {
        if ('problem' in raw) throw appError('api.invalid_request_payload', raw.problem)
        const row = readImportRow(raw.value)
        email = row.email
        const isLazy = options.verify === 'lazy'
        candidates.push(await resolveRow(cached, caller, { index, line }, row, isLazy))
      } catch (error) {
        const failure = { line, outcome: 'failed', error: toRowError(error) } as const
        results[index] = email === undefined ? failure : { ...failure, email }
      }
    }
    return candidates
  }

  /** @returns rows that another request came in between for */
  async function importOnce(
    caller: Caller,
    candidates: readonly Candidate[],
    options: ImportOptions,
    to: { readonly results: RowResult[]; readonly record: Record; readonly recordFailure: RecordFailure },
  ): Promise<readonly Candidate[]> {
    const known = await lookUp(lookUpDeps, caller.applicationId, candidates)
    const decided = candidates.map((candidate) => ({
      candidate,
      decision: decideRow(candidate, known, options.verify === 'now'),
    }))
    const create: Candidate[] = []
    const update: { readonly candidate: Candidate; readonly grant: GrantRecord }[] = []
    const toVerify: { readonly candidate: Candidate; readonly grant: GrantRecord | null }[] = []
    for (const { candidate, decision } of decided) {
      if (options.dryRun) foresee(candidate, decision, to)
      else if (decision.kind === 'skip') to.record(candidate, 'skipped')
      else if (decision.kind === 'fail') to.recordFailure(candidate, decision.error)
      else if (decision.kind === 'create') create.push(candidate)
      else if (decision.kind === 'update') update.push({ candidate, grant: decision.grant })
      else toVerify.push({ candidate, grant: decision.grant })
    }
    await verifyAll(caller, toVerify, options, to)
    if (create.length + update.length === 0) return []
    const count = (kind: Decision['kind']) => decided.filter(({ decision }) => decision.kind === kind).length
    const work: BatchWork = { create, update, skipped: count('skip'), failed: count('fail') }
    const prepared = prepareBatch(deps, caller, work, options.events)
    const written = await inTurn(() => writeBatch(deps, caller, prepared))
    for (const id of written.changedGrants) deps.accessTokens.forget(id)
    for (const candidate of written.created) to.record(candidate, 'created')
    for (const candidate of written.updated) to.record(candidate, 'updated')
    return written.again
  }

  /** One batch writes at a time, in the order of the file; the next one is read and looked up meanwhile. */
  function inTurn<T>(write: () => Promise<T>): Promise<T> {
    const turn = lastWrite.then(write)
    lastWrite = turn.catch(() => undefined) // the batch gets the error; the next one only waits its turn
    return turn
  }

  async function verifyAll(
    caller: Caller,
    rows: readonly { readonly candidate: Candidate; readonly grant: GrantRecord | null }[],
    options: ImportOptions,
    to: { readonly record: Record; readonly recordFailure: RecordFailure },
  ): Promise<void> {
    let next = 0
    const worker = async () => {
      for (let one = rows[next++]; one; one = rows[next++]) {
        const { candidate, grant } = one
        try {
          await verify(caller, candidate, grant, options)
          to.record(candidate, grant ? 'updated' : 'created')
        } catch (error) {
          to.recordFailure(candidate, error)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(VERIFY_AT_ONCE, rows.length) }, worker))
  }

  /** The path of connect/custom: whatever the provider answers is stored before it counts. */
  async function verify(
    caller: Caller,
    { input, row, scope, emailKey }: Candidate,
    grant: GrantRecord | null,
    options: ImportOptions,
  ): Promise<void> {
    if (!input) return
    await authenticate(
      {
        caller,
        input,
        scope,
        state: row.state ?? null,
        ip: null,
        userAgent: null,
        imported: {
          grantId: grant ? undefined : row.grantId,
          accountId: row.accountId,
          name: row.name,
          sendsEvents: options.events,
        },
      },
      {
        account(account) {
          if (emailKeyOf(account.email) === emailKey) return
          throw appError(
            'grant.reauth_email_invalid',
            'email is not the address of the account: the provider says that the secret belongs to another one',
          )
        },
      },
    )
  }
}

/** What an import would do. A row that the provider must be asked about is counted as if it said yes. */
function foresee(
  candidate: Candidate,
  decision: Decision,
  to: { readonly record: Record; readonly recordFailure: RecordFailure },
): void {
  switch (decision.kind) {
    case 'skip':
      return to.record(candidate, 'skipped')
    case 'fail':
      return to.recordFailure(candidate, decision.error)
    case 'create':
      return to.record(candidate, 'created')
    case 'update':
      return to.record(candidate, 'updated')
    case 'authenticate':
      return to.record(candidate, decision.grant ? 'updated' : 'created')
  }
}

/** What would become of rows that name the mailbox, token or id of an earlier one of their batch. */
function foreseeRepeats(
  now: readonly Candidate[],
  later: readonly Candidate[],
  to: { readonly record: Record; readonly recordFailure: RecordFailure },
): void {
  const mailboxes = new Set(now.map(({ module, emailKey }) => mailboxKey(module.id, emailKey)))
  const tokens = new Set(now.flatMap(({ token }) => (token ? [tokenKey(token)] : [])))
  for (const candidate of later) {
    const { module, emailKey, input, token } = candidate
    if (!mailboxes.has(mailboxKey(module.id, emailKey))) {
      const message = 'another row has the same refresh_token, grant_id or account_id'
      to.recordFailure(candidate, appError('api.invalid_request_error', message))
    } else {
      const isKnown = !input || (token !== null && tokens.has(tokenKey(token)))
      to.record(candidate, isKnown ? 'skipped' : 'updated')
    }
  }
}

/**
 * Leaves rows that name the mailbox, token or id of an earlier row of the batch for the next round: then what the
 * earlier one came to is stored, and they are decided like rows of a later batch.
 */
function withoutRepeats(candidates: readonly Candidate[]): {
  readonly now: readonly Candidate[]
  readonly later: readonly Candidate[]
} {
  const seen = new Set<string>()
  const now: Candidate[] = []
  const later: Candidate[] = []
  for (const candidate of candidates) {
    const { row, module, emailKey, token } = candidate
    const keys = [`m ${mailboxKey(module.id, emailKey)}`]
    if (token) keys.push(`t ${tokenKey(token)}`)
    if (row.grantId !== undefined) keys.push(`g ${row.grantId}`)
    if (row.accountId !== undefined) keys.push(`a ${row.accountId}`)
    const isRepeat = keys.some((key) => seen.has(key))
    for (const key of keys) seen.add(key)
    if (isRepeat) later.push(candidate)
    else now.push(candidate)
  }
  return { now, later }
}
