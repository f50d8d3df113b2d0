import { randomBytes } from 'node:crypto'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'

export const FLEET_KEY = 'fleet-test-api-key-of-more-than-32-characters'

export interface FleetAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any
}

/** Several server processes over one PostgreSQL. */
export interface Fleet {
  readonly servers: readonly ServerProcess[]
  call(server: ServerProcess, method: string, path: string, body?: object): Promise<FleetAnswer>
  /** `perServer` times on each server, all at once. */
  everywhere(
    perServer: number,
    send: (server: ServerProcess) => Promise<FleetAnswer>,
  ): Promise<readonly FleetAnswer[]>
  /** One more process. */
  start(): Promise<ServerProcess>
  /** Ends those that still run. */
  stop(): Promise<void>
}

/** Starts the product as an operator does, several times: the first one migrates. */
export async function startFleet(
  size: number,
  databaseUrl: string,
  endpoints: { readonly [name: string]: string },
): Promise<Fleet> {
  const environment = {
    GRANTWAY_PORT: '0',
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    GRANTWAY_DATABASE_URL: databaseUrl,
    GRANTWAY_API_KEY: FLEET_KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ...endpoints,
  }
  const servers: ServerProcess[] = []
  const start = async () => {
    const server = await startServerProcess(['src/cli/main.ts', 'serve', '--role', 'api'], environment)
    servers.push(server)
    return server
  }
  await start()
  await Promise.all(Array.from({ length: size - 1 }, start))
  return {
    servers,
    start,
    call: callFleet,
    everywhere: (perServer, send) =>
      Promise.all(
        servers.slice(0, size).flatMap((server) => Array.from({ length: perServer }, () => send(server))),
      ),
    async stop() {
      await Promise.all(servers.map((server) => server.end('SIGTERM')))
    },
  }
}

async function callFleet(
  server: ServerProcess,
  method: string,
  path: string,
  body?: object,
): Promise<FleetAnswer> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${FLEET_KEY}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
}
