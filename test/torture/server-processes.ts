import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../src/kit/deadline.ts'
import { EndedEarlyError, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import type { History, Pause } from './check-history.ts'
import type { TokenServer } from './token-server.ts'

export const KEY = 'torture-test-api-key-of-more-than-32-characters'

/** The database may be away for some of them. */
const MOST_STARTS = 20

/** One of the places that always have a server process, a new one after each kill. */
interface Place {
  name: string
  /** null while the next one is starting */
  server: ServerProcess | null
  state: 'running' | 'stopped' | 'ending'
}

/** The product's processes under torture, and the record of what was done to them. */
export interface ServerProcesses {
  /** Those that can be asked now; stopped ones only where that is asked for: they keep the asker waiting. */
  up(evenStopped: boolean): readonly ServerProcess[]
  /** How many run and are not stopped. */
  running(): number
  stopped(): number
  /** Kills one that runs, and starts another in its place. */
  kill(choose: <T>(from: readonly T[]) => T): Promise<void>
  /** Stops one for a while; it does not end meanwhile. */
  stop(choose: <T>(from: readonly T[]) => T, ms: number): Promise<void>
  notePause(pause: Pause): void
  readonly kills: History['kills']
  readonly pauses: readonly Pause[]
  /** Processes that ended by themselves, and how those that were asked to end did. */
  readonly crashes: readonly string[]
  /** What each has logged, by its name. */
  readonly logs: ReadonlyMap<string, () => string>
  /** Ends all of them in peace. */
  end(): Promise<void>
}

export async function startServerProcesses(options: {
  readonly count: number
  readonly databaseUrl: string
  readonly encryptionKeys: string
  readonly tokens: TokenServer
  readonly logLevel: 'warn' | 'debug'
}): Promise<ServerProcesses> {
  const { count, databaseUrl, encryptionKeys, tokens, logLevel } = options
  const logs = new Map<string, () => string>()
  let started = 0
  const kills: { process: string; atMs: number }[] = []
  const pauses: Pause[] = []
  const crashes: string[] = []
  const places: Place[] = []

  async function launch(place: Place): Promise<void> {
    for (let tries = 1; ; tries++) {
      place.name = `p${++started}`
      try {
        const server = await startServerProcess(['src/cli/main.ts', 'serve', '--role', 'all'], {
          GRANTWAY_PORT: '0',
          GRANTWAY_RATE_LIMIT_FACTOR: '0',
          GRANTWAY_DATABASE_URL: databaseUrl,
          GRANTWAY_API_KEY: KEY,
          GRANTWAY_ENCRYPTION_KEYS: encryptionKeys,
          GRANTWAY_LOG_LEVEL: logLevel,
          // Nothing listens there: the mail is not what is tortured, and a read has asked for a token before.
          GRANTWAY_YAHOO_IMAP: '127.0.0.1:9',
          NODE_COMPILE_CACHE: join(tmpdir(), 'grantway-torture-compile-cache'),
          ...tokens.endpoints(place.name),
        })
        logs.set(place.name, () => server.log())
        place.server = server
        place.state = 'running'
        void watch(place, place.name, server)
        return
      } catch (error) {
        // Its start fell into a time without a database.
        if (!(error instanceof EndedEarlyError) || tries >= MOST_STARTS) throw error
        await sleep(300)
      }
    }
  }

  async function watch(place: Place, name: string, server: ServerProcess): Promise<void> {
    const code = await server.gone
    if (place.server !== server || place.state !== 'ending') {
      crashes.push(`${name} ended by itself (${code}):\n${server.log().slice(-2000)}`)
    }
  }

  const inState = (state: Place['state']) =>
    places.filter((place) => place.server !== null && place.state === state)

  for (let i = 0; i < count; i++) places.push({ name: '', server: null, state: 'ending' })
  const [first, ...rest] = places
  if (first) await launch(first) // it migrates
  await Promise.all(rest.map(launch))
  return {
    up: (evenStopped) =>
      places.flatMap(({ server, state }) =>
        server && (state === 'running' || (evenStopped && state === 'stopped')) ? [server] : [],
      ),
    running: () => inState('running').length,
    stopped: () => inState('stopped').length,
    async kill(choose) {
      const place = choose(inState('running'))
      const { server } = place
      if (!server) return
      place.state = 'ending'
      kills.push({ process: place.name, atMs: performance.now() })
      await server.end('SIGKILL')
      place.server = null
      await launch(place)
    },
    async stop(choose, ms) {
      const place = choose(inState('running'))
      const { server } = place
      if (!server) return
      place.state = 'stopped'
      const fromMs = performance.now()
      process.kill(server.pid, 'SIGSTOP')
      await sleep(ms)
      process.kill(server.pid, 'SIGCONT')
      pauses.push({ process: place.name, fromMs, untilMs: performance.now() })
      place.state = 'running'
    },
    notePause: (pause) => void pauses.push(pause),
    kills,
    pauses,
    crashes,
    logs,
    async end() {
      await Promise.all(
        places.map(async (place) => {
          const { server } = place
          if (!server) return
          place.state = 'ending'
          const code = await server.end('SIGTERM')
          if (code !== 0)
            crashes.push(`${place.name} ended with ${code} when asked to:\n${server.log().slice(-2000)}`)
        }),
      )
    },
  }
}
