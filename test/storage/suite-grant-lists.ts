import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import type { GrantFilter } from '../../src/core/ports/stores.ts'
import { aGrant, newApplicationId } from './records.ts'
import type { Subject } from './suite.ts'

const PROVIDERS = ['google', 'microsoft', 'imap'] as const
const applicationId = newApplicationId()

/** 60 grants with many ties of both times, in no order. */
const GRANTS: readonly GrantRecord[] = Array.from({ length: 60 }, (_, at) =>
  aGrant({
    id: grantId(`${(at * 37) % 60}`.padStart(2, '0')),
    applicationId,
    provider: PROVIDERS[at % 3]!,
    status: at % 4 === 0 ? 'invalid' : 'valid',
    email: `User${at % 20}@Example.com`,
    ip: at % 5 === 0 ? null : `192.0.2.${at % 2}`,
    accountId: at % 2 === 0 ? `account-${at}` : null,
    createdAt: 1_700_000_000 + (at % 6),
    updatedAt: 1_700_000_100 + (at % 7),
  }),
)

const FILTERS: readonly GrantFilter[] = [
  {},
  { email: 'user3@example.com' },
  { email: 'USER3@example.com' },
  { email: 'nobody@example.com' },
  { provider: 'imap' },
  { provider: 'no-such-provider' },
  { status: 'valid' },
  { status: 'invalid' },
  { ip: '192.0.2.1' },
  { accountIds: ['account-2', 'account-40', 'account-3'] },
  { accountIds: [] },
  { since: 1_700_000_002 },
  { before: 1_700_000_002 },
  { since: 1_700_000_002, before: 1_700_000_003 },
  { since: 1e300 },
  { before: 1e300 },
  { provider: 'google', status: 'invalid' },
  { provider: 'google', status: 'valid', ip: '192.0.2.0', since: 1_700_000_001, before: 1_700_000_004 },
  { email: 'user3@example.com', provider: 'google', accountIds: ['account-2'] },
]

function matches(grant: GrantRecord, filter: GrantFilter): boolean {
  return (
    (filter.email === undefined || grant.emailKey === filter.email.toLowerCase()) &&
    (filter.provider === undefined || grant.provider === filter.provider) &&
    (filter.status === undefined || grant.status === filter.status) &&
    (filter.ip === undefined || grant.ip === filter.ip) &&
    (filter.accountIds === undefined ||
      (grant.accountId !== null && filter.accountIds.includes(grant.accountId))) &&
    (filter.since === undefined || grant.createdAt >= filter.since) &&
    (filter.before === undefined || grant.createdAt <= filter.before)
  )
}

export function coversGrantLists(subject: Subject): void {
  const grants = () => subject().database.stores.grants
  before(async () => {
    for (const grant of [...GRANTS, aGrant()]) assert.equal(await grants().insert(grant), true)
  })

  for (const by of ['created_at', 'updated_at'] as const) {
    for (const order of ['asc', 'desc'] as const) {
      test(`pages through every filter by ${by} ${order} without overlap or gap`, async () => {
        const timeOf = (grant: GrantRecord) => (by === 'created_at' ? grant.createdAt : grant.updatedAt)
        const sign = order === 'asc' ? 1 : -1
        for (const filter of FILTERS) {
          const expected = GRANTS.filter((grant) => matches(grant, filter)).sort(
            (a, b) => sign * (timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : 1)),
          )
          const found: GrantRecord[] = []
          for (let offset = 0; offset <= expected.length; offset += 7) {
            found.push(...(await grants().list(applicationId, filter, { by, order, limit: 7, offset })))
          }
          assert.deepEqual(found, expected, JSON.stringify(filter))
        }
      })
    }
  }

  test('lists nothing of another application', async () => {
    const page = { by: 'created_at', order: 'asc', limit: 10, offset: 0 } as const
    assert.deepEqual(await grants().list(newApplicationId(), {}, page), [])
  })
}
