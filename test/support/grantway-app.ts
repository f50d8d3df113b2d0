import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Application, ComposeOptions } from '../../src/app/compose.ts'
import { startServer } from '../../src/app/serve.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Clock } from '../../src/kit/clock.ts'
import type { Logger } from '../../src/kit/logger.ts'
import { silentLogger } from '../../src/kit/logger.ts'

/** The whole product as it is shipped, in this process, over a throw-away data folder or a given PostgreSQL. */
export interface GrantwayApp {
  readonly url: string
  readonly key: string
  readonly application: Application
  readonly clock: MovableClock
  readonly dataDir: string
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>
  stop(): Promise<void>
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any
}

export interface MovableClock extends Clock {
  advance(ms: number): void
}

/** The system's time, and as much later as a test wants. */
export function movableClock(): MovableClock {
  let aheadMs = 0
  return {
    nowMs: () => Date.now() + aheadMs,
    advance(ms) {
      aheadMs += ms
    },
  }
}

/**
 * Starts the composed server on a free port.
 * @param environment  further variables of interface.md, for example provider endpoints
 */
export async function startGrantway(
  environment: { readonly [name: string]: string } = {},
  options: {
    readonly log?: Logger
    readonly clock?: MovableClock
    readonly overrides?: Partial<ComposeOptions>
  } = {},
): Promise<GrantwayApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'grantway-app-'))
  const key = environment['GRANTWAY_API_KEY'] ?? `test-key-${randomBytes(24).toString('hex')}`
  const config = loadConfig({
    GRANTWAY_PORT: '0',
    // Most tests are about something else, and faster than anybody may be.
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    GRANTWAY_GMAIL_UNITS_PER_MINUTE: '100000000',
    GRANTWAY_DATA_DIR: dataDir,
    GRANTWAY_API_KEY: key,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ...environment,
  })
  const clock = options.clock ?? movableClock()
  const server = await startServer(config, 'all', options.log ?? silentLogger, {
    clock,
    ...options.overrides,
  }).catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true, force: true })
    throw error
  })
  return {
    url: server.url,
    key,
    application: server.application,
    clock,
    dataDir,
    async call(method, path, body, headers = {}) {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
    },
    async stop() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
