import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countEvents } from './count-events.ts'
import type { TestOAuthServer } from '../support/oauth-server.ts'
import { callApi, type ServerProcess, startServerProcess } from '../support/server-process.ts'

// The OAuth server replaces the refresh token with each use and kills the grant when an old one comes again, so a
// token that is lost or spent twice can't go unseen.

const KEY = 'crash-test-api-key-of-more-than-32-characters'
const MOST_STEPS = 40

export type When = 'before' | 'after'

/** Starts servers over one database with a yahoo connector, whose endpoints are the OAuth server's. */
export interface StartServer {
  (): Promise<ServerProcess>
  /** Which database, as environment variables. */
  readonly database: { readonly [name: string]: string }
}

/** @param database  which one, as environment variables */
export async function prepareWorld(
  oauth: TestOAuthServer,
  database: { readonly [name: string]: string },
): Promise<StartServer> {
  const environment = {
    ...database,
    GRANTWAY_PORT: '0',
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    GRANTWAY_API_KEY: KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_LOG_LEVEL: 'warn',
    // Written by the first, which ends in peace; halves the start of the others.
    NODE_COMPILE_CACHE: join(tmpdir(), 'grantway-crash-compile-cache'),
    GRANTWAY_YAHOO_TOKEN_URL: oauth.tokenUrl,
    GRANTWAY_YAHOO_USERINFO_URL: oauth.userinfoUrl,
  }
  const start = Object.assign(() => startServerProcess(['test/crash/killable-server.ts'], environment), {
    database,
  })
  const server = await start()
  const settings = { client_id: 'basic-app', client_secret: 'basic-app-secret' }
  const made = await callApi(server, KEY, 'POST', '/v3/connectors', { provider: 'yahoo', settings })
  assert.equal(made.status, 201)
  await server.end('SIGTERM')
  return start
}

/** Gives tokens of a new user. */
export const mintFor = (oauth: TestOAuthServer, name: string) =>
  oauth.mint(`${name}@testworld.example`, 'basic-app')

export const readGrant = (server: ServerProcess, id: string) =>
  callApi(server, KEY, 'GET', `/v3/grants/${id}`)

const body = (refreshToken: string) => ({ provider: 'yahoo', settings: { refresh_token: refreshToken } })

/** A request that a server is to die of. */
export interface DeadlyRequest {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object
}

export const connecting = (refreshToken: string): DeadlyRequest => ({
  method: 'POST',
  path: '/v3/connect/custom',
  body: body(refreshToken),
})

export const send = (server: ServerProcess, request: DeadlyRequest) =>
  callApi(server, KEY, request.method, request.path, request.body)

/**
 * Sends to a server that dies at that step of the request, and sees to it that it is gone.
 * @returns whether the request was answered: it has fewer steps
 */
async function sendAndDie(
  server: ServerProcess,
  request: DeadlyRequest,
  kill: { readonly at: number; readonly when: When },
): Promise<boolean> {
  const survived = await fetch(server.url + request.path, {
    method: request.method,
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(request.body ? { 'content-type': 'application/json' } : {}),
      'x-kill-at': String(kill.at),
      'x-kill-when': kill.when,
    },
    ...(request.body ? { body: JSON.stringify(request.body) } : {}),
  }).then(
    ({ ok }) => ok,
    () => false,
  )
  await server.end('SIGKILL')
  return survived
}

/**
 * Kills a server at each step of a request. The server that shows what became of one step is the one that dies at the
 * next: one start per step.
 *
 * @param steps.every   kill only at every nth step
 * @param steps.prepare makes, on that server, the request that dies at this step
 * @param steps.check   looks at what is left, on a server started after the death
 */
export async function killAtEachStep(
  start: StartServer,
  when: When,
  steps: {
    readonly every: number
    prepare(at: number, server: ServerProcess): Promise<DeadlyRequest>
    check(server: ServerProcess, at: number, request: DeadlyRequest): Promise<void>
  },
): Promise<void> {
  let server = await start()
  try {
    for (let at = 1, survived = false; !survived; at += steps.every) {
      assert.ok(at < MOST_STEPS, 'the request has no end')
      const request = await steps.prepare(at, server)
      survived = await sendAndDie(server, request, { at, when })
      server = await start()
      await steps.check(server, at, request)
    }
  } finally {
    await server.end('SIGKILL')
  }
}

/** Kills connect/custom of a new token at each step. @returns at how many of them the token was lost */
export async function killConnecting(
  oauth: TestOAuthServer,
  start: StartServer,
  when: When,
  every = 1,
): Promise<number> {
  let lost = 0
  await killAtEachStep(start, when, {
    every,
    prepare: async (at) => connecting((await mintFor(oauth, `${when}-${at}`)).refresh_token),
    async check(server, at, request) {
      const again = await send(server, request)
      if (again.status === 201) {
        const third = await send(server, request)
        assert.equal(third.status, 201, `a third time after step ${at}: ${JSON.stringify(third.body)}`)
        assert.equal(third.body.data.id, again.body.data.id)
        assert.equal(await countEvents(start.database, again.body.data.id, 'grant.created'), 1)
        return
      }
      // The provider's answer died with the process before it could be committed.
      lost += 1
      assert.equal(again.status, 401, JSON.stringify(again.body))
      assert.equal(again.body.error.type, 'grant.refresh_token_invalid')
      assert.match(again.body.error.message, /answer .* was lost/)
    },
  })
  return lost
}
