import { randomBytes } from 'node:crypto'
import { sleep } from '../../src/kit/deadline.ts'
import { checkHistory, type Violation } from './check-history.ts'
import { createClients } from './clients.ts'
import { cutOneLiveness, noteEverything, readNotes, readSteps } from './database-log.ts'
import { type DatabaseServer, startDatabaseServer } from './database-server.ts'
import { writeEvidence } from './evidence.ts'
import { createRandom, type Random } from './random.ts'
import { type ServerProcesses, startServerProcesses } from './server-processes.ts'
import { startTokenServer } from './token-server.ts'

export interface TortureOptions {
  readonly seed: number
  readonly grants: number
  readonly processes: number
  /** Ends after so many refreshes, or so many seconds, whichever comes first. */
  readonly refreshes: number
  readonly seconds: number
  /** Left out: pauses longer than a lease, or restarts of the database and cuts of liveness connections. */
  readonly without?: 'long stops' | 'outages'
  /** Told what is done to the servers, one line each. */
  readonly tell?: (line: string) => void
  /** A folder that gets everything that was recorded, and the logs of the processes, to explain a violation by. */
  readonly evidence?: string | undefined
}

export interface TortureResult {
  readonly summary: { readonly [name: string]: number | string }
  readonly violations: readonly Violation[]
  /** Answers the contract does not allow, processes that ended by themselves. */
  readonly oddities: readonly string[]
}

/** Longer than a refresh lease of 30 s. */
const LONG_STOP_MS = 32_000
const WORKERS = 32
/** A process tries at least every 5 s to take its lock again. */
const LOCK_BACK_MS = 8_000
/** Who was stopped for longer than a lease stores what came meanwhile in this time. */
const WAKE_MS = 3_000

/**
 * Runs several server processes over one PostgreSQL against a provider that rotates strictly, does to them what can
 * happen to a process, a connection and a database, and has the recorded history checked.
 */
export async function runTorture(options: TortureOptions): Promise<TortureResult> {
  const { seed, grants, refreshes, seconds, tell = () => {} } = options
  const random = createRandom(seed)
  const database = await startDatabaseServer()
  const tokens = await startTokenServer(random)
  const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`
  try {
    const servers = await startServerProcesses({
      count: options.processes,
      databaseUrl: database.url,
      encryptionKeys,
      tokens,
      logLevel: options.evidence === undefined ? 'warn' : 'debug',
    })
    try {
      await noteEverything(database.url)
      const clients = createClients({ grants, random, tokens, servers })
      await clients.connectAll()
      tell(`${grants} grants are connected`)
      const startMs = performance.now()
      const isOver = () => tokens.refreshes() >= refreshes || performance.now() - startMs >= seconds * 1000
      const faults = createFaults({ random, servers, database, tell, without: options.without })
      await Promise.all([clients.run(WORKERS, isOver), faults.run(isOver)])
      const tortureS = Math.round((performance.now() - startMs) / 1000)
      tell('calm: what is open is settled')
      tokens.calmDown()
      await clients.settle()
      await servers.end()
      const { kills, pauses } = servers
      const history = { calls: tokens.calls, lives: clients.lives, kills, pauses }
      const recorded = { ...history, ...(await readNotes(database.url, encryptionKeys)) }
      const violations = checkHistory(recorded)
      if (options.evidence !== undefined) {
        await writeEvidence(options.evidence, {
          violations,
          recorded,
          steps: await readSteps(database.url),
          logs: servers.logs,
        })
      }
      return {
        summary: {
          seed,
          seconds: tortureS,
          refreshes: tokens.refreshes(),
          'token calls': tokens.calls.length,
          kills: kills.length,
          ...faults.counts(),
          ...Object.fromEntries(tokens.faults),
          'grants signed in again': clients.lives.length - grants,
          replays: tokens.replays(),
          answers: [...clients.answers].map(([status, count]) => `${status}: ${count}`).join(', '),
          violations: violations.length,
        },
        violations,
        oddities: [...clients.oddities, ...servers.crashes],
      }
    } finally {
      await servers.end()
    }
  } finally {
    await tokens.stop()
    await database.destroy()
  }
}

type Counts = { [name in 'stops' | 'long stops' | 'database restarts' | 'liveness cuts']: number }

/** What happens to processes and the database, one thing after the other, some of it at the same time. */
function createFaults(parts: {
  readonly random: Random
  readonly servers: ServerProcesses
  readonly database: DatabaseServer
  readonly tell: (line: string) => void
  readonly without: TortureOptions['without'] | undefined
}) {
  const { random, servers, database, tell, without } = parts
  const stopsLong = without !== 'long stops'
  const hasOutages = without !== 'outages'
  const counts: Counts = { stops: 0, 'long stops': 0, 'database restarts': 0, 'liveness cuts': 0 }
  let waking = 0
  const underWay = new Set<Promise<void>>()
  const behind = (work: Promise<void>) => {
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
  }

  async function restartDatabase(): Promise<void> {
    const mode = random.pick(['fast', 'immediate'] as const)
    const downMs = random.between(100, 3_000)
    tell(`database: ${mode} restart, down for ${downMs} ms`)
    counts['database restarts'] += 1
    const fromMs = performance.now()
    await database.restart(mode, () => sleep(downMs))
    servers.notePause({ process: null, fromMs, untilMs: performance.now() })
  }

  /** Whoever has just lost its connection takes the lock again first: see `canCut`. */
  async function longStop(): Promise<void> {
    await sleep(LOCK_BACK_MS)
    stopOne(true)
  }

  async function cutLiveness(): Promise<void> {
    tell('cut the connection that shows that one lives')
    // After a restart of the database nobody may have taken its lock again yet.
    for (let tries = 0; tries < LOCK_BACK_MS / 500; tries++) {
      if (await cutOneLiveness(database.url)) {
        counts['liveness cuts'] += 1
        return
      }
      await sleep(500)
    }
  }

  function stopOne(isLong: boolean): void {
    const ms = isLong ? LONG_STOP_MS + random.between(0, 8_000) : random.between(200, 6_000)
    tell(`stop one for ${ms} ms`)
    counts[isLong ? 'long stops' : 'stops'] += 1
    const stopped = servers.stop((from) => random.pick(from), ms)
    behind(isLong ? stopped.then(wake) : stopped)
  }

  async function wake(): Promise<void> {
    waking += 1
    await sleep(WAKE_MS)
    waking -= 1
  }

  async function one(turn: number): Promise<void> {
    // Two always go on.
    const canLose = servers.running() > 2
    // Someone who is stopped can't take its lock again: with its connection gone it counts as dead after a lease, also
    // in the moment it wakes up in (docs/decisions/0016). That is the one thing that is not done to them.
    const canCut = hasOutages && servers.stopped() === 0 && waking === 0
    if (turn === 1 && hasOutages) return restartDatabase()
    if (turn === 2 && hasOutages) return cutLiveness()
    if (turn === 3 && stopsLong) return longStop()
    const choice = random.between(1, 100)
    if (choice <= 45 && canLose) {
      tell('kill one')
      return behind(servers.kill((from) => random.pick(from)))
    }
    if (choice <= 65 && canLose) return stopsLong && random.between(1, 100) <= 8 ? longStop() : stopOne(false)
    if (choice <= 80 && canCut) return cutLiveness()
    if (choice <= 90 && canCut) return restartDatabase()
  }

  return {
    counts: () => counts,
    async run(isOver: () => boolean): Promise<void> {
      // Everything that is rare comes first, so that a short run has it too.
      for (let turn = 1; !isOver(); turn++) {
        await sleep(random.between(300, 2_500))
        await one(turn)
      }
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
