import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { SignatureRecord, TemplateRecord } from '../../src/core/ports/mail-stores-texts.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { aGrant } from './records.ts'
import type { Subject } from './suite.ts'

/** Signatures and templates. */
export function coversTexts(subject: Subject): void {
  const stores = () => subject().database.stores

  async function insertGrant(): Promise<GrantRecord> {
    const grant = aGrant()
    assert.equal(await stores().grants.insert(grant), true)
    return grant
  }
  const aText = () => ({
    id: randomUUID(),
    name: 'é "x"',
    body: '<b>✉</b>',
    createdAt: 1_700_000_000,
    updatedAt: 1_700_000_001,
  })
  const aSignature = (grant: GrantRecord): SignatureRecord => ({
    ...aText(),
    applicationId: grant.applicationId,
    grantId: grant.id,
  })
  const aTemplate = (grant: GrantRecord, ofGrant: boolean): TemplateRecord => ({
    ...aText(),
    applicationId: grant.applicationId,
    grantId: ofGrant ? grant.id : null,
    engine: 'handlebars',
    subject: 'Hi {{name}}',
  })
  const withoutSeq = <T extends { readonly seq: number }>(records: readonly T[]) =>
    records.map(({ seq: _seq, ...record }) => record)

  test('keeps signatures of a grant, newest first, and changes no other grant’s', async () => {
    const [grant, other] = [await insertGrant(), await insertGrant()]
    const { signatures } = stores()
    const [first, second] = [aSignature(grant), aSignature(grant)]
    for (const record of [first, second]) await signatures.insert(record)
    assert.deepEqual(withoutSeq(await signatures.list(grant.id, { limit: 5 })), [second, first])
    const [newest] = await signatures.list(grant.id, { limit: 1 })
    assert.ok(newest)
    const older = await signatures.list(grant.id, { limit: 5, beforeSeq: newest.seq })
    assert.deepEqual(withoutSeq(older), [first])
    assert.deepEqual([await signatures.count(grant.id), await signatures.count(other.id)], [2, 0])
    const change = { name: 'n', body: 'b', updatedAt: 1_800_000_000 }
    assert.equal(await signatures.update(other.id, first.id, change), false)
    assert.equal(await signatures.delete(other.id, first.id), false)
    assert.equal(await signatures.find(other.id, first.id), null)
    assert.equal(await signatures.update(grant.id, first.id, change), true)
    const found = await signatures.find(grant.id, first.id)
    assert.deepEqual(withoutSeq(found ? [{ ...found, seq: 0 }] : []), [{ ...first, ...change }])
    assert.equal(await signatures.delete(grant.id, first.id), true)
    assert.equal(await signatures.delete(grant.id, first.id), false)
  })

  test('keeps templates of an application apart from those of its grants', async () => {
    const grant = await insertGrant()
    const { templates } = stores()
    const [own, ofGrant] = [aTemplate(grant, false), aTemplate(grant, true)]
    for (const record of [own, ofGrant]) await templates.insert(record)
    assert.deepEqual(withoutSeq(await templates.list(own, { limit: 5 })), [own])
    assert.deepEqual(withoutSeq(await templates.list(ofGrant, { limit: 5 })), [ofGrant])
    assert.equal(await templates.find(own, ofGrant.id), null)
    assert.equal(await templates.find(ofGrant, own.id), null)
    const change = { engine: 'mustache' as const, name: 'n', subject: 's', body: 'b', updatedAt: 2 }
    assert.equal(await templates.update(own, ofGrant.id, change), false)
    assert.equal(await templates.update(ofGrant, own.id, change), false)
    assert.equal(await templates.update(own, own.id, change), true)
    assert.deepEqual(withoutSeq(await templates.list(own, { limit: 5 })), [{ ...own, ...change }])
    assert.equal(await templates.delete(own, ofGrant.id), false)
    assert.equal(await templates.delete(ofGrant, own.id), false)
    assert.equal(await templates.delete(own, own.id), true)
    assert.deepEqual(await templates.list(own, { limit: 5 }), [])
  })

  test('signatures and templates go with their grant, those of the application stay', async () => {
    const grant = await insertGrant()
    const [signature, own, ofGrant] = [aSignature(grant), aTemplate(grant, false), aTemplate(grant, true)]
    await stores().signatures.insert(signature)
    for (const record of [own, ofGrant]) await stores().templates.insert(record)
    assert.equal(await stores().grants.delete(grant.applicationId, grant.id), true)
    assert.equal(await stores().signatures.find(grant.id, signature.id), null)
    assert.equal(await stores().templates.find(ofGrant, ofGrant.id), null)
    assert.notEqual(await stores().templates.find(own, own.id), null)
  })
}
