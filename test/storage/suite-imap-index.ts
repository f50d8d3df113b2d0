import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aGrant } from './records.ts'
import type { Subject } from './suite.ts'

/** The index of IMAP accounts. */
export function coversImapIndex(subject: Subject): void {
  const store = () => subject().database.stores.imapIndex

  async function anAccount() {
    const grant = aGrant()
    assert.equal(await subject().database.stores.grants.insert(grant), true)
    return { grant, account: { grantId: grant.id, account: 'a' } }
  }
  const piece = (path: string, uidValidity: number, rows: string) => ({ path, uidValidity, rows })

  test('gives the pieces of an account in the order in which they were kept', async () => {
    const { account } = await anAccount()
    const { account: other } = await anAccount()
    const pieces = [piece('INBOX', 4_000_000_000, 'eA=='), piece('Entwürfe/"', 2, 'eQ==')]
    await store().add(account, pieces)
    await store().add(account, [piece('INBOX', 4_000_000_000, 'eg==')])
    await store().add(other, [piece('INBOX', 1, 'eA==')])
    assert.deepEqual(await store().list(account), [...pieces, piece('INBOX', 4_000_000_000, 'eg==')])
  })

  test('drops what was kept of a folder under another UIDVALIDITY, and of another account', async () => {
    const { account } = await anAccount()
    await store().add(account, [piece('INBOX', 1, 'eA=='), piece('Sent', 1, 'eQ==')])
    await store().add(account, [piece('INBOX', 2, 'eg==')])
    assert.deepEqual(await store().list(account), [piece('Sent', 1, 'eQ=='), piece('INBOX', 2, 'eg==')])
    const moved = { ...account, account: 'b' }
    await store().add(moved, [piece('INBOX', 1, 'eA==')])
    assert.deepEqual(await store().list(account), [])
    assert.equal((await store().list(moved)).length, 1)
  })

  test('replaces the whole index of an account, and lets it go with its grant', async () => {
    const { grant, account } = await anAccount()
    await store().add(account, [piece('INBOX', 1, 'eA==')])
    await store().replace(account, [piece('INBOX', 1, 'eQ==')])
    assert.deepEqual(await store().list(account), [piece('INBOX', 1, 'eQ==')])
    await store().replace(account, [])
    assert.deepEqual(await store().list(account), [])
    await store().add(account, [piece('INBOX', 1, 'eA==')])
    await subject().database.stores.grants.delete(grant.applicationId, grant.id)
    assert.deepEqual(await store().list(account), [])
  })
}
