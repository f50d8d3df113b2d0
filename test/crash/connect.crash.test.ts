import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import {
  connect,
  killAtEachStep,
  killConnecting,
  prepareWorld,
  readGrant,
  type StartServer,
} from './crash-matrix.ts'

let oauth: TestOAuthServer
before(async () => {
  oauth = await startOAuthServer()
})
after(() => oauth.stop())

/** Runs `use` over a fresh data folder. */
async function withWorld(use: (start: StartServer) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-crash-'))
  try {
    await use(await prepareWorld(oauth, { GRANTWAY_DATA_DIR: folder }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('connect/custom, killed at each step', () => {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} each database step: the same request finishes the work, nothing is replayed`, async () => {
      await withWorld(async (start) => {
        const lost = await killConnecting(oauth, start, when)
        // One step lies between the provider's answer and its commit, and only when killed before it.
        assert.equal(lost, when === 'before' ? 1 : 0)
      })
    })
  }
})

describe('a refresh, killed at each step', () => {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} each database step: the grant lives on, or says that an answer was lost`, async () => {
      await withWorld(async (start) => {
        let lost = 0
        let id = ''
        await killAtEachStep(start, when, {
          every: 1,
          // A token that belongs to a grant makes its stored secret be refreshed under the lease.
          async token(at, server) {
            const { refresh_token: token } = await oauth.mint(`${when}-${at}@testworld.example`, 'basic-app')
            const made = await connect(server, token)
            assert.equal(made.status, 201)
            id = made.body.data.id
            return token
          },
          async check(server, _at, token) {
            const again = await connect(server, token)
            const grant = await readGrant(server, id)
            if (again.status === 201) {
              assert.equal(again.body.data.id, id)
              assert.equal(grant.body.data.grant_status, 'valid')
              return
            }
            lost += 1
            assert.equal(again.status, 401, JSON.stringify(again.body))
            assert.equal(grant.body.data.grant_status, 'invalid')
            assert.equal(grant.body.data.reason.code, 'refresh_answer_lost')
          },
        })
        assert.equal(lost, when === 'before' ? 1 : 0)
      })
    })
  }
})
