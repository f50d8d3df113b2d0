import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { ApplicationId, GrantId } from '../../src/contract/ids.ts'
import type { NewImportedGrant } from '../../src/core/ports/import.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { aGrant, anEvent, aTokenKey, newApplicationId, someTokens } from './records.ts'
import type { Subject } from './suite.ts'

const MANY = 300
const IMPORTED = { sealedAccessToken: null, accessExpiresAt: null }

export function coversImports(subject: Subject): void {
  const stores = () => subject().database.stores

  /** Grants that differ in which of their fields are set: columns of many rows are sent as one value. */
  function manyOf(application: ApplicationId, count = MANY): readonly NewImportedGrant[] {
    return Array.from({ length: count }, (_, at) => {
      const grant = aGrant({
        applicationId: application,
        name: at % 3 === 0 ? null : `Zoë "${at}" \\\n`,
        accountId: at % 2 === 0 ? null : `account-${at}`,
        scope: at % 5 === 0 ? [] : ['a', 'b'],
        settings: at % 7 === 0 ? {} : { at, nested: { deep: ['é', null] } },
        ...(at % 11 === 0
          ? { status: 'invalid', reason: { code: 'c', message: 'm', advice: 'a', at: 1_700_000_000 } }
          : {}),
      })
      return {
        grant,
        secret: at % 11 === 0 ? null : someTokens(IMPORTED),
        event: at % 13 === 0 ? anEvent({ applicationId: application, grantId: grant.id }) : null,
      }
    })
  }

  const withSecret = (grant: GrantRecord): NewImportedGrant => ({
    grant,
    secret: someTokens(IMPORTED),
    event: null,
  })

  test('imports many grants with their secrets and events as single inserts would', async () => {
    const application = newApplicationId()
    const many = manyOf(application)
    const made = await stores().imports.insertGrants(many)
    assert.deepEqual(made, new Set(many.map(({ grant }) => grant.id)))
    for (const { grant, secret } of many) {
      assert.deepEqual(await stores().grants.find(application, grant.id), grant)
      const stored = await stores().secrets.find(grant.id)
      assert.equal(stored?.sealedSecret, secret?.sealedSecret)
      if (!stored || !secret) continue
      assert.equal(stored.version, 1)
      assert.equal(stored.nextRefreshAtMs, secret.nextRefreshAtMs)
      assert.equal(stored.sealedAccessToken, null)
      assert.deepEqual([stored.failures, stored.attempt, stored.leaseUntilMs], [0, null, null])
    }
    const events = await stores().outbox.list(application, 1000)
    assert.deepEqual(
      new Set(events.map(({ id }) => id)),
      new Set(many.flatMap(({ event }) => event?.id ?? [])),
    )
  })

  test('leaves out imported grants whose mailbox, id or account id is taken, and nothing of them stays', async () => {
    const application = newApplicationId()
    const [first, second] = [
      aGrant({ applicationId: application, accountId: 'taken' }),
      aGrant({ applicationId: newApplicationId() }),
    ]
    await stores().imports.insertGrants([withSecret(first), withSecret(second)])
    const taken = [
      aGrant({ applicationId: application, email: first.email.toUpperCase() }),
      aGrant({ applicationId: application, accountId: 'taken' }),
    ].map((grant) => ({ ...withSecret(grant), event: anEvent({ applicationId: application }) }))
    const sameId = aGrant({ applicationId: application, id: second.id })
    const free = aGrant({ applicationId: newApplicationId(), email: first.email, accountId: 'taken' })
    const made = await stores().imports.insertGrants([...taken, withSecret(sameId), withSecret(free)])
    assert.deepEqual(made, new Set([free.id]))
    for (const { grant } of taken) {
      assert.equal(await stores().grants.find(application, grant.id), null)
      assert.equal(await stores().secrets.find(grant.id), null)
    }
    assert.equal(await stores().grants.find(application, second.id), null)
    assert.deepEqual(await stores().outbox.list(application, 10), [])
    assert.deepEqual(await stores().imports.insertGrants([]), new Set())
  })

  test('inserts the tokens of an import that nobody knew, and leaves the others as they are', async () => {
    const application = newApplicationId()
    const grant = aGrant({ applicationId: application })
    const keys = Array.from({ length: MANY }, () => aTokenKey({ applicationId: application }))
    const [known, ...fresh] = keys
    assert.ok(known)
    await stores().seenTokens.insertAttempt(known, { id: randomUUID(), holder: 'somebody' })
    const rows = keys.map((key) => ({ key, grantId: grant.id }))
    const ours = await subject().database.transaction(async (inside) => {
      const inserted = await inside.imports.insertSeenTokens(rows)
      await inside.imports.insertGrants([withSecret(grant)])
      return inserted
    })
    assert.deepEqual(ours, new Set(fresh.map(({ digest }) => digest)))
    const found = await stores().imports.findSeenTokens(
      application,
      keys.map(({ digest }) => digest),
    )
    assert.equal(found.length, MANY)
    for (const { digest, state } of found) {
      if (digest === known.digest) assert.equal(state.kind, 'attempted')
      else assert.deepEqual(state, { kind: 'granted', grantId: grant.id, version: 1 })
    }
    assert.deepEqual(await stores().imports.insertSeenTokens(rows), new Set())
    await stores().imports.deleteSeenTokens(newApplicationId(), [known.digest])
    await stores().imports.deleteSeenTokens(application, [known.digest, 'nobody'])
    assert.equal(await stores().seenTokens.find(known), null)
    assert.ok(fresh[0] && (await stores().seenTokens.find(fresh[0])))
  })

  test('looks a batch up by mailbox, id and account id, each application for itself', async () => {
    const application = newApplicationId()
    const mine = manyOf(application).map(({ grant }) => grant)
    await stores().imports.insertGrants(mine.map(withSecret))
    const theirs = aGrant({ email: mine[1]?.email ?? '', accountId: 'account-1' })
    await stores().imports.insertGrants([withSecret(theirs)])
    const { imports } = stores()
    const found = await imports.findByMailboxes(application, [...mine.map(({ emailKey }) => emailKey), 'no'])
    assert.deepEqual(byId(found), byId(mine))
    const unknown = aGrant().id
    // Ids are one namespace for all: nobody may be given another's.
    const taken = await imports.findTakenIds([theirs.id, unknown, ...mine.map(({ id }) => id)])
    assert.deepEqual(taken, new Set([theirs.id, ...mine.map(({ id }) => id)]))
    const owners = await imports.findAccountIds(application, ['account-1', 'account-3', 'account-2', 'no'])
    assert.deepEqual(
      owners,
      new Map<string, GrantId | undefined>([
        ['account-1', mine[1]?.id],
        ['account-3', mine[3]?.id],
      ]),
    )
    const secrets = await imports.findSecrets([unknown, ...mine.map(({ id }) => id)])
    assert.equal(secrets.length, MANY)
    for (const empty of [
      await imports.findByMailboxes(application, []),
      [...(await imports.findTakenIds([]))],
      [...(await imports.findAccountIds(application, []))],
      await imports.findSeenTokens(application, []),
      await imports.findSecrets([]),
    ]) {
      assert.deepEqual(empty, [])
    }
    await imports.deleteSeenTokens(application, [])
  })

  test('imports from two handles at once: each mailbox and token gets one grant', async () => {
    const application = newApplicationId()
    const handles = [subject().database, await subject().other()]
    const keys = Array.from({ length: 40 }, () => aTokenKey({ applicationId: application }))
    const emails = keys.map((_, at) => `both-${at}-${randomUUID()}@example.com`)
    const results = await Promise.all(
      [0, 1, 2, 3].map((turn) => {
        const grants = emails.map((email) => aGrant({ applicationId: application, email }))
        // Each in another order: rows are locked in one all the same.
        const order = turn % 2 === 0 ? grants : grants.toReversed()
        return handles[turn % 2]!.transaction(async ({ imports }) => {
          const tokens = await imports.insertSeenTokens(
            keys.map((key, at) => ({ key, grantId: grants[at]?.id ?? aGrant().id })),
          )
          const mine = order.filter((grant) => tokens.has(keys[grants.indexOf(grant)]?.digest ?? ''))
          return [tokens.size, (await imports.insertGrants(mine.map(withSecret))).size]
        })
      }),
    )
    const sums = results.reduce(([a = 0, b = 0], [c = 0, d = 0]) => [a + c, b + d], [0, 0])
    assert.deepEqual(sums, [keys.length, keys.length])
  })

  test('adds events of an import', async () => {
    const application = newApplicationId()
    const events = Array.from({ length: 50 }, () => anEvent({ applicationId: application }))
    await stores().imports.insertEvents(events)
    await stores().imports.insertEvents([])
    const stored = await stores().outbox.list(application, 100)
    assert.deepEqual(new Set(stored.map(({ id }) => id)), new Set(events.map(({ id }) => id)))
    assert.deepEqual(stored[0]?.data, events[0]?.data)
  })
}

const byId = (grants: readonly GrantRecord[]) => new Map(grants.map((grant) => [grant.id, grant]))
