import assert from 'node:assert/strict'
import type { TestOAuthServer } from '../support/oauth-server.ts'
import { countAudited, countEvents } from './count-events.ts'
import {
  connecting,
  type DeadlyRequest,
  killAtEachStep,
  mintFor,
  readGrant,
  send,
  type StartServer,
  type When,
} from './crash-matrix.ts'

// What is killed while it happens to a grant that is there already. Each returns at how many steps an answer of the
// provider was lost.

interface Matrix {
  readonly oauth: TestOAuthServer
  readonly start: StartServer
  readonly when: When
  readonly every: number
}

/** A refresh: a token that belongs to a grant makes its stored secret be refreshed under the lease. */
export async function killRefreshing({ oauth, start, when, every }: Matrix): Promise<number> {
  let lost = 0
  let id = ''
  await killAtEachStep(start, when, {
    every,
    async prepare(at, server) {
      const request = connecting((await mintFor(oauth, `refresh-${when}-${at}`)).refresh_token)
      id = (await send(server, request)).body.data.id
      return request
    },
    async check(server, _at, request) {
      const again = await send(server, request)
      const isLost = again.status !== 201
      await checkGrant(server, start, id, again, isLost)
      if (isLost) lost += 1
    },
  })
  return lost
}

/** PATCH with a fresh token of the same user: a first exchange whose result goes onto the grant. */
export async function killPatching({ oauth, start, when, every }: Matrix): Promise<number> {
  let lost = 0
  let id = ''
  await killAtEachStep(start, when, {
    every,
    async prepare(at, server): Promise<DeadlyRequest> {
      const user = `patch-${when}-${at}`
      const made = await send(server, connecting((await mintFor(oauth, user)).refresh_token))
      id = made.body.data.id
      const settings = { refresh_token: (await mintFor(oauth, user)).refresh_token }
      return { method: 'PATCH', path: `/v3/grants/${id}`, body: { settings } }
    },
    async check(server, at, request) {
      const again = await send(server, request)
      assert.equal((await readGrant(server, id)).body.data.grant_status, 'valid')
      if (again.status === 200) assert.equal((await send(server, request)).status, 200)
      else {
        lost += 1
        assert.equal(again.status, 401, `after step ${at}: ${JSON.stringify(again.body)}`)
        assert.match(again.body.error.message, /answer .* was lost/)
      }
      const [updates, audited] = await Promise.all([
        countEvents(start.database, id, 'grant.updated'),
        countAudited(start.database, id, 'grant.reauthenticated'),
      ])
      assert.equal(updates, audited)
      assert.ok(again.status !== 200 || updates >= 2, `${updates} events`)
      assert.equal(await countEvents(start.database, id, 'grant.created'), 1)
    },
  })
  return lost
}

/** PATCH of the scope alone: what it shows and what was told agree. */
export async function killRelabelling({ oauth, start, when, every }: Matrix): Promise<void> {
  let id = ''
  await killAtEachStep(start, when, {
    every,
    async prepare(at, server): Promise<DeadlyRequest> {
      const token = (await mintFor(oauth, `scope-${when}-${at}`)).refresh_token
      id = (await send(server, connecting(token))).body.data.id
      return { method: 'PATCH', path: `/v3/grants/${id}`, body: { scope: ['mail-r'] } }
    },
    async check(server) {
      const { scope } = (await readGrant(server, id)).body.data
      const isChanged = JSON.stringify(scope) === '["mail-r"]'
      assert.equal(await countEvents(start.database, id, 'grant.updated'), isChanged ? 1 : 0)
    },
  })
}

/** DELETE: the grant is there and nothing was told, or it is gone and that was told once. */
export async function killDeleting({ oauth, start, when, every }: Matrix): Promise<void> {
  let id = ''
  await killAtEachStep(start, when, {
    every,
    async prepare(at, server): Promise<DeadlyRequest> {
      const token = (await mintFor(oauth, `delete-${when}-${at}`)).refresh_token
      id = (await send(server, connecting(token))).body.data.id
      return { method: 'DELETE', path: `/v3/grants/${id}` }
    },
    async check(server, _at, request) {
      const isGone = (await readGrant(server, id)).status === 404
      assert.equal(await countEvents(start.database, id, 'grant.deleted'), isGone ? 1 : 0)
      assert.equal((await send(server, request)).status, isGone ? 404 : 200)
      assert.equal(await countEvents(start.database, id, 'grant.deleted'), 1)
    },
  })
}

async function checkGrant(
  server: Parameters<typeof readGrant>[0],
  start: StartServer,
  id: string,
  again: Awaited<ReturnType<typeof send>>,
  isLost: boolean,
): Promise<void> {
  const grant = (await readGrant(server, id)).body.data
  if (isLost) {
    assert.equal(again.status, 401, JSON.stringify(again.body))
    assert.equal(grant.grant_status, 'invalid')
    assert.equal(grant.reason.code, 'refresh_answer_lost')
  } else {
    assert.equal(again.body.data.id, id)
    assert.equal(grant.grant_status, 'valid')
  }
  assert.equal(await countEvents(start.database, id, 'grant.expired'), isLost ? 1 : 0)
}
