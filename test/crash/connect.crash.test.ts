import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { killConnecting, prepareWorld, type StartServer } from './crash-matrix.ts'
import { killDeleting, killPatching, killRefreshing, killRelabelling } from './grant-kills.ts'

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

describe('a grant, killed at each step of what happens to it', () => {
  for (const when of ['before', 'after'] as const) {
    test(`a refresh, killed ${when} each: the grant lives on, or says once that an answer was lost`, async () => {
      await withWorld(async (start) => {
        const lost = await killRefreshing({ oauth, start, when, every: 1 })
        assert.equal(lost, when === 'before' ? 1 : 0)
      })
    })

    test(`PATCH with a new token, killed ${when} every second: the same request finishes the work`, async () => {
      await withWorld(async (start) => {
        // Its steps are those of connecting, which is killed at each of them above.
        const lost = await killPatching({ oauth, start, when, every: 2 })
        assert.ok(lost <= (when === 'before' ? 1 : 0), `${lost} tokens were lost`)
      })
    })

    test(`PATCH of the scope and DELETE, killed ${when} each: done and told once, or neither`, async () => {
      await withWorld(async (start) => {
        await killRelabelling({ oauth, start, when, every: 1 })
        await killDeleting({ oauth, start, when, every: 1 })
      })
    })
  }
})
