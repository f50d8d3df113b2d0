import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { callApi, type ServerProcess, startServerProcess } from '../support/server-process.ts'

// The OAuth server replaces the refresh token with each use and kills the grant when an old one comes again, so a
// token that is lost or spent twice can't go unseen.

const KEY = 'crash-test-api-key-of-more-than-32-characters'
const MOST_STEPS = 40

let oauth: TestOAuthServer
before(async () => {
  oauth = await startOAuthServer()
})
after(() => oauth.stop())

interface World {
  readonly environment: { readonly [name: string]: string }
  start(kill?: { readonly at: number; readonly when: 'before' | 'after' }): Promise<ServerProcess>
}

/** Runs `use` over a fresh data folder with a yahoo connector, whose endpoints are the OAuth server's. */
async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-crash-'))
  const environment = {
    GRANTWAY_PORT: '0',
    GRANTWAY_DATA_DIR: folder,
    GRANTWAY_API_KEY: KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_LOG_LEVEL: 'warn',
    GRANTWAY_YAHOO_TOKEN_URL: oauth.tokenUrl,
    GRANTWAY_YAHOO_USERINFO_URL: oauth.userinfoUrl,
  }
  const start: World['start'] = (kill) =>
    startServerProcess(['test/crash/killable-server.ts'], {
      ...environment,
      ...(kill ? { KILL_AT: String(kill.at), KILL_WHEN: kill.when } : {}),
    })
  try {
    await use({ environment, start })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function createConnector(world: World): Promise<void> {
  const server = await world.start()
  const settings = { client_id: 'basic-app', client_secret: 'basic-app-secret' }
  const made = await callApi(server, KEY, 'POST', '/v3/connectors', { provider: 'yahoo', settings })
  assert.equal(made.status, 201)
  await server.end('SIGTERM')
}

const connect = (server: ServerProcess, refreshToken: string) =>
  callApi(server, KEY, 'POST', '/v3/connect/custom', {
    provider: 'yahoo',
    settings: { refresh_token: refreshToken },
  })

describe('connect/custom, killed at each step', () => {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} each database step: the same request finishes the work, nothing is replayed`, async () => {
      await withWorld(async (world) => {
        await createConnector(world)
        let survived = false
        let lost = 0
        for (let at = 1; !survived; at++) {
          assert.ok(at < MOST_STEPS, 'the request has no end')
          const email = `${when}-${at}@testworld.example`
          const { refresh_token: token } = await oauth.mint(email, 'basic-app')
          const dying = await world.start({ at, when })
          survived = await connect(dying, token).then(
            ({ status }) => status === 201,
            () => false,
          )
          await dying.end('SIGKILL')

          const server = await world.start()
          const again = await connect(server, token)
          if (again.status === 201) {
            const third = await connect(server, token)
            assert.equal(third.status, 201, `a third time after step ${at}: ${JSON.stringify(third.body)}`)
            assert.equal(third.body.data.id, again.body.data.id)
          } else {
            // The provider's answer died with the process before it could be committed.
            lost += 1
            assert.equal(again.status, 401, JSON.stringify(again.body))
            assert.equal(again.body.error.type, 'grant.refresh_token_invalid')
            assert.match(again.body.error.message, /answer .* was lost/)
          }
          await server.end('SIGTERM')
        }
        // One step lies between the provider's answer and its commit, and only when killed before it.
        assert.equal(lost, when === 'before' ? 1 : 0)
      })
    })
  }
})

describe('a refresh, killed at each step', () => {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} each database step: the grant lives on, or says that an answer was lost`, async () => {
      await withWorld(async (world) => {
        await createConnector(world)
        const first = await world.start()
        const grants: { readonly id: string; readonly token: string }[] = []
        for (let at = 0; at < MOST_STEPS; at++) {
          const { refresh_token: token } = await oauth.mint(`${when}-${at}@testworld.example`, 'basic-app')
          const made = await connect(first, token)
          assert.equal(made.status, 201)
          grants.push({ id: made.body.data.id, token })
        }
        await first.end('SIGTERM')

        let lost = 0
        for (const [before, { id, token }] of grants.entries()) {
          // A token that belongs to a grant makes its stored secret be refreshed under the lease.
          const dying = await world.start({ at: before + 1, when })
          const survived = await connect(dying, token).then(
            ({ status }) => status === 201,
            () => false,
          )
          await dying.end('SIGKILL')
          if (survived) break
          assert.ok(before + 1 < MOST_STEPS, 'the request has no end')

          const server = await world.start()
          const again = await connect(server, token)
          const grant = await callApi(server, KEY, 'GET', `/v3/grants/${id}`)
          if (again.status === 201) {
            assert.equal(again.body.data.id, id)
            assert.equal(grant.body.data.grant_status, 'valid')
          } else {
            lost += 1
            assert.equal(again.status, 401, JSON.stringify(again.body))
            assert.equal(grant.body.data.grant_status, 'invalid')
            assert.equal(grant.body.data.reason.code, 'refresh_answer_lost')
          }
          await server.end('SIGTERM')
        }
        assert.equal(lost, when === 'before' ? 1 : 0)
      })
    })
  }
})
