// What a torture run has recorded, and the rules that must hold in it. Pure: times are milliseconds of one clock, the
// harness's; tokens are the provider's.

/** One request to the token endpoint. */
export interface TokenCall {
  /** whose account */
  readonly grant: string
  /** the first token of the consent that the presented one descends from */
  readonly life: string
  /** the server process that sent it */
  readonly process: string
  readonly presented: string
  /** null when no token was issued */
  readonly issued: string | null
  /** `failed` and `unread` spent nothing */
  readonly outcome: 'issued' | 'refused' | 'failed' | 'unread'
  readonly startMs: number
  readonly endMs: number
  /** the whole answer was handed to the network, and nobody had hung up */
  readonly delivered: boolean
}

/** Times in which something could not be committed. */
export interface Pause {
  /** null: the database was away, for everyone */
  readonly process: string | null
  readonly fromMs: number
  readonly untilMs: number
}

/** From a user's consent to its end. */
export interface Life {
  readonly grant: string
  readonly first: string
  /** how it ended, as the grant said then: `reason` is of an earlier life where this one never became the grant's */
  readonly end: { readonly reason: string } | null
}

export interface History {
  readonly calls: readonly TokenCall[]
  readonly kills: readonly { readonly process: string; readonly atMs: number }[]
  readonly pauses: readonly Pause[]
  /** in order of time */
  readonly lives: readonly Life[]
  /** every refresh token that was ever stored */
  readonly committed: ReadonlySet<string>
  /** those of them that were a grant's */
  readonly granted: ReadonlySet<string>
  /** every `grant.expired` that was written */
  readonly expired: readonly { readonly grant: string; readonly reason: string }[]
  /** what stands in the database at the end */
  readonly stored: ReadonlyMap<string, { readonly status: string; readonly token: string }>
}

export interface Violation {
  readonly kind:
    | 'replay'
    | 'overlap'
    | 'dropped-answer'
    | 'not-the-last-token'
    | 'wrong-reason'
    | 'needless-death'
    | 'expired-events'
    | 'missing'
  readonly grant: string
  readonly detail: string
}

/** An answer that has been there for so long, with database and process running, must have been committed. */
const COMMIT_MS = 10_000
/** Of a token call. */
const DEADLINE_MS = 15_000
/** So much later than it happens is seen, here, what happens. */
const NOTICE_MS = 1_000
/** A process that is stopped inside a transaction holds its rows until the database ends the transaction. */
const LOCK_MS = 20_000

/** Reports everything in a history that design.md sections 2 and 4 do not allow. */
export function checkHistory(history: History): readonly Violation[] {
  const lost = (call: TokenCall) => isLost(call, history)
  const byLife = groupBy(history.calls, ({ life }) => life)
  return [
    ...[...byLife.values()].flatMap((calls) => [...replays(calls, lost), ...overlaps(calls, history)]),
    ...droppedAnswers(history, lost),
    ...history.lives.flatMap((life) => deaths(life, byLife.get(life.first) ?? [], history, lost)),
    ...expiredEvents(history),
    ...lastTokens(history, byLife),
  ]
}

/** Whether the answer never came to be stored, and could not have been. */
function isLost(call: TokenCall, history: History): boolean {
  if (call.issued !== null && history.committed.has(call.issued)) return false
  if (call.outcome === 'failed' || call.outcome === 'unread') return false
  return !call.delivered || wasKilledBeforeCommit(call, history)
}

function wasKilledBeforeCommit(call: TokenCall, { kills, pauses }: History): boolean {
  let untilMs = call.endMs + COMMIT_MS
  for (const pause of pauses.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const isIts = pause.process === null || pause.process === call.process
    const overMs = isIts ? pause.untilMs : Math.min(pause.untilMs, pause.fromMs + LOCK_MS)
    if (pause.fromMs <= untilMs && overMs >= call.endMs) {
      untilMs += overMs - Math.max(pause.fromMs, call.endMs)
    }
  }
  // A kill before the call counts, too: what a process sent with its last breath is read here after its end, and no
  // process has a name that was another's.
  return kills.some(({ process, atMs }) => process === call.process && atMs <= untilMs)
}

/**
 * A token that is spent is sent again only when the answer that replaced it is truly lost. What was refused may be sent
 * again: posting a known token has the provider asked.
 */
function replays(calls: readonly TokenCall[], lost: (call: TokenCall) => boolean): readonly Violation[] {
  return [...groupBy(calls, ({ presented }) => presented).values()].flatMap((same) => {
    const first = same.findIndex((call) => call.outcome === 'issued')
    const spent = same[first]
    if (!spent || lost(spent)) return []
    return same
      .slice(first + 1)
      .map((call) => violation('replay', call, `spent by ${spent.process}, which had ${spent.issued} for it`))
  })
}

/**
 * When the process that sent it was not waiting any more. After its deadline of 15 s (design.md section 4, step 4) it
 * hangs up, and the next call may begin at once; which of the two is read first here is up to chance, and the call was
 * read some time after it was sent.
 */
function waitedUntilMs({ outcome, delivered, startMs, endMs }: TokenCall): number {
  const isGivenUp = outcome === 'issued' && !delivered
  return isGivenUp ? Math.min(endMs, startMs + DEADLINE_MS - NOTICE_MS) : endMs
}

/** One call at a time, unless the process that made the first is dead. */
function overlaps(calls: readonly TokenCall[], { kills }: History): readonly Violation[] {
  const inOrder = calls.toSorted((a, b) => a.startMs - b.startMs)
  return inOrder.flatMap((first, i) =>
    inOrder.slice(i + 1).flatMap((second) => {
      if (second.startMs >= waitedUntilMs(first)) return []
      const died = kills.some(({ process, atMs }) => process === first.process && atMs <= second.startMs)
      if (died) return []
      return [violation('overlap', second, `began while ${first.process} was waiting for its answer`)]
    }),
  )
}

function droppedAnswers(history: History, lost: (call: TokenCall) => boolean): readonly Violation[] {
  return history.calls
    .filter((call) => call.issued !== null && !history.committed.has(call.issued) && !lost(call))
    .map((call) => violation('dropped-answer', call, `${call.process} had the answer and did not store it`))
}

/** Whether the grant ever held a token of that life. */
function wasGranted({ first }: Life, { calls, granted }: History): boolean {
  return calls.some(({ life, issued }) => life === first && issued !== null && granted.has(issued))
}

function deaths(
  life: Life,
  calls: readonly TokenCall[],
  history: History,
  lost: (call: TokenCall) => boolean,
): readonly Violation[] {
  if (life.end === null) return []
  const found: Violation[] = []
  const { reason } = life.end
  if (reason !== 'refresh_answer_lost' && wasGranted(life, history)) {
    found.push({ kind: 'wrong-reason', grant: life.grant, detail: reason })
  }
  if (!calls.some((call) => call.outcome === 'issued' && lost(call))) {
    found.push({ kind: 'needless-death', grant: life.grant, detail: 'no answer of it was lost' })
  }
  return found
}

/** A death is told once. */
function expiredEvents(history: History): readonly Violation[] {
  const { lives, expired } = history
  const deathsOf = new Map<string, number>()
  for (const life of lives) {
    if (life.end === null || !wasGranted(life, history)) continue
    deathsOf.set(life.grant, (deathsOf.get(life.grant) ?? 0) + 1)
  }
  const told = groupBy(expired, ({ grant }) => grant)
  const misnamed = expired
    .filter(({ reason }) => reason !== 'refresh_answer_lost')
    .map(({ grant, reason }) => ({ kind: 'wrong-reason' as const, grant, detail: `${reason}, in the event` }))
  const miscounted = [...new Set([...deathsOf.keys(), ...told.keys()])].flatMap((grant) => {
    const [died, events] = [deathsOf.get(grant) ?? 0, told.get(grant)?.length ?? 0]
    if (died === events) return []
    return [{ kind: 'expired-events' as const, grant, detail: `${events} events for ${died} deaths` }]
  })
  return [...misnamed, ...miscounted]
}

/** A grant that lives at the end holds the token that the provider issued last. */
function lastTokens(
  { lives, stored }: History,
  byLife: ReadonlyMap<string, readonly TokenCall[]>,
): readonly Violation[] {
  const last = new Map(lives.map((life) => [life.grant, life]))
  return [...last.values()].flatMap((life): readonly Violation[] => {
    const { grant } = life
    const row = stored.get(grant)
    if (!row) return [{ kind: 'missing', grant, detail: 'the database has no such grant' }]
    if (row.status !== 'valid') {
      if (life.end !== null) return []
      return [{ kind: 'needless-death', grant, detail: 'invalid, and nobody was told' }]
    }
    if (life.end !== null) return [{ kind: 'missing', grant, detail: 'valid after its end was seen' }]
    const issued = (byLife.get(life.first) ?? []).findLast((call) => call.issued !== null)?.issued
    if (row.token === issued) return []
    return [
      { kind: 'not-the-last-token', grant, detail: `${row.token} is stored, ${issued} was issued last` },
    ]
  })
}

function violation(kind: Violation['kind'], call: TokenCall, detail: string): Violation {
  const at = `${call.process} at ${Math.round(call.startMs)} ms, token ${call.presented}`
  return { kind, grant: call.grant, detail: `${at}: ${detail}` }
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
