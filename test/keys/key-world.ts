import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { SEALED_TABLES } from '../../src/core/ports/sealed.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import type { RotationStep } from '../../src/core/vault/rotation-state.ts'
import { dataKeyOf } from '../../src/core/vault/vault.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'

export const operatorKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`

/** A composed server whose provider rotates strictly: a secret that gets lost can't go unseen. */
export interface KeyWorld {
  readonly zoom: FakeZoom
  readonly app: GrantwayApp
  /** One more server over the same database, in a process of its own. */
  startProcess(): Promise<ServerProcess>
  /** Ends the server, so that another process may have the database. */
  pause(): Promise<void>
  /** Another server over the same database, with other encryption keys; ends the one before where only one may run. */
  restart(encryptionKeys: string): Promise<GrantwayApp>
  stop(): Promise<void>
}

export async function startKeyWorld(
  database: { readonly [name: string]: string },
  encryptionKeys: string,
): Promise<KeyWorld> {
  const zoom = await startFakeZoom()
  const environment = (keys: string) => ({
    ...database,
    GRANTWAY_ENCRYPTION_KEYS: keys,
    GRANTWAY_ZOOM_AUTHORIZE_URL: zoom.endpoints.authorizeUrl,
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
    GRANTWAY_API_KEY: 'key-rotation-api-key-of-more-than-32-characters',
  })
  const overrides = { keyTakeUpMs: 0 }
  let app = await startGrantway(environment(encryptionKeys), { overrides })
  let isStopped = false
  const world: KeyWorld = {
    zoom,
    get app() {
      return app
    },
    startProcess: () =>
      startServerProcess(['src/cli/main.ts', 'serve', '--role', 'api'], {
        ...environment(encryptionKeys),
        GRANTWAY_PORT: '0',
        GRANTWAY_LOG_LEVEL: 'warn',
      }),
    async pause() {
      if (!isStopped) await app.stop()
      isStopped = true
    },
    async restart(keys) {
      await world.pause()
      app = await startGrantway(environment(keys), { overrides })
      isStopped = false
      return app
    },
    async stop() {
      await world.pause()
      await zoom.stop()
    },
  }
  const made = await app.call('POST', '/v3/connectors', {
    provider: 'zoom',
    settings: { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret },
  })
  if (made.status === 201) return world
  await world.stop()
  throw new Error(made.text)
}

/** Posts a refresh token; with one that a grant has already, the grant's newest is refreshed. */
export async function connect(app: GrantwayApp, refreshToken: string): Promise<string> {
  const answer = await app.call('POST', '/v3/connect/custom', {
    provider: 'zoom',
    settings: { refresh_token: refreshToken },
  })
  assert.equal(answer.status, 201, answer.text)
  return answer.body.data.id
}

/** Rotates to the end, step by step, without waiting. */
export async function rotate(app: GrantwayApp): Promise<Extract<RotationStep, { kind: 'done' }>> {
  const { keyRotation } = app.application
  let step = await keyRotation.begin('cli')
  for (let count = 0; step.kind === 'more'; count++) {
    assert.ok(count < 500, `no end: ${JSON.stringify(step)}`)
    step = await keyRotation.step(step.state, 'cli')
  }
  return step
}

/** Ids of the data keys that sealed values stand under, with how many. */
export async function keysInUse({ stores }: Database): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const table of SEALED_TABLES) {
    for (const row of await stores.sealed.list(table, '', 10_000)) {
      for (const text of Object.values(row.values)) {
        if (text === null) continue
        const id = dataKeyOf(text) ?? 'none'
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    }
  }
  return counts
}
