import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createSignatureReader } from '../../src/core/mail/signatures/signature-service.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { grantRecord, type HttpApp, startHttpApp } from '../support/http-app.ts'

let app: HttpApp
let grant: GrantRecord
let base: string

before(async () => {
  app = await startHttpApp()
})
after(() => app.close())
beforeEach(async () => {
  grant = grantRecord({ applicationId: app.applicationId })
  await app.database.stores.grants.insert(grant)
  base = `/v3/grants/${grant.id}/signatures`
})

async function create(body = '<b>Ada</b>', name = 'Work') {
  const answer = await app.call('POST', base, { name, body })
  assert.equal(answer.status, 201, answer.text)
  return answer.body.data
}

test('refuses without a key', async () => {
  const answer = await app.call('GET', base, undefined, { authorization: '' })
  assert.equal(answer.status, 401)
})

test('creates, finds, changes and deletes a signature', async () => {
  const answer = await app.call('POST', base, { name: 'Work', body: '<b>Ada</b>' })
  assert.equal(answer.status, 201)
  const { id } = answer.body.data
  const signature = {
    id,
    grant_id: grant.id,
    name: 'Work',
    body: '<b>Ada</b>',
    object: 'signature',
    created_at: 1_767_225_600,
    updated_at: 1_767_225_600,
  }
  assert.deepEqual(answer.body, { request_id: answer.body.request_id, data: signature })
  assert.deepEqual((await app.call('GET', `${base}/${id}`)).body.data, signature)
  assert.deepEqual((await app.call('GET', `${base}/${id}?select=name`)).body.data, { name: 'Work' })
  const changed = await app.call('PUT', `${base}/${id}`, { name: 'Home', id: 'other', grant_id: 'other' })
  assert.deepEqual(changed.body.data, { ...signature, name: 'Home' })
  const rewritten = await app.call('PUT', `${base}/${id}`, { body: '<i>A</i><script>x</script>' })
  assert.deepEqual(rewritten.body.data, { ...signature, name: 'Home', body: '<i>A</i>' })
  const list = await app.call('GET', base)
  assert.deepEqual(list.body, { request_id: list.body.request_id, data: [rewritten.body.data] })
  const deleted = await app.call('DELETE', `${base}/${id}`)
  assert.deepEqual([deleted.status, Object.keys(deleted.body)], [200, ['request_id']])
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const gone = await app.call(method, `${base}/${id}`, method === 'PUT' ? { name: 'x' } : undefined)
    assert.equal(gone.status, 404)
    assert.equal(gone.body.error.type, 'api.not_found_error')
  }
})

test('stores no script, no style that loads, and images by an external address only', async () => {
  const { body } = await create(
    `<p style="color:red;background:url(https://x.example)" onclick="x()">Ada</p><img src="data:image/png;base64,AA">
     <img src="https://x.example/a.png" width="10"><img src="cid:logo"><a href="javascript:alert(1)">x</a>
     <style>p{}</style><iframe src="https://x.example"></iframe><form action="/x"><input></form>`,
  )
  assert.match(
    body,
    /^<p style="color:red">Ada<\/p>\s*<img src="https:\/\/x.example\/a.png" width="10" \/><a>x<\/a>\s*$/,
  )
})

test('takes ten signatures of 100 KB for a grant and not one more of either', async () => {
  const tooLong = await app.call('POST', base, { name: 'long', body: 'x'.repeat(100 * 1024 + 1) })
  assert.deepEqual([tooLong.status, tooLong.body.error.message], [400, 'body has at most 100 KB'])
  await create('x'.repeat(100 * 1024))
  for (let count = 1; count < 10; count += 1) await create()
  const eleventh = await app.call('POST', base, { name: 'eleventh', body: 'x' })
  assert.equal(eleventh.status, 400)
  assert.equal(eleventh.body.error.message, 'A grant has at most 10 signatures.')
})

test('two requests at once are not both the tenth', async () => {
  for (let count = 0; count < 9; count += 1) await create()
  const answers = await Promise.all([1, 2, 3].map(() => app.call('POST', base, { name: 'x', body: 'x' })))
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 400, 400],
  )
})

test('pages through the list, newest first, and opens a token nowhere else', async () => {
  const ids: string[] = []
  for (const name of ['a', 'b', 'c']) ids.unshift((await create('x', name)).id)
  const first = await app.call('GET', `${base}?limit=2&select=id`)
  assert.deepEqual(first.body.data, [{ id: ids[0] }, { id: ids[1] }])
  const token = first.body.next_cursor
  const second = await app.call('GET', `${base}?limit=2&select=id&page_token=${token}`)
  assert.deepEqual(second.body, { request_id: second.body.request_id, data: [{ id: ids[2] }] })
  const other = grantRecord({ applicationId: app.applicationId })
  await app.database.stores.grants.insert(other)
  assert.equal((await app.call('GET', `/v3/grants/${other.id}/signatures?page_token=${token}`)).status, 400)
  assert.equal((await app.call('GET', `${base}?page_token=x`)).status, 400)
})

test('names what is wrong with a body', async () => {
  for (const [body, field] of [
    [{ name: 'x' }, 'body'],
    [{ body: 'x' }, 'name'],
    [{ name: '', body: 'x' }, 'name'],
    [{ name: 1, body: 'x' }, 'name'],
  ] as const) {
    const answer = await app.call('POST', base, body)
    assert.equal(answer.status, 400)
    assert.ok(answer.body.error.message.includes(field), answer.text)
  }
})

test('messages get the HTML of a signature of their own grant, and a 400 that names the field else', async () => {
  const { id } = await create('<b>Ada</b>')
  const reader = createSignatureReader(app)
  assert.equal(await reader.html(grant, id), '<b>Ada</b>')
  const other = grantRecord({ applicationId: app.applicationId })
  await assert.rejects(reader.html(other, id), { status: 400, message: /signature_id/ })
})
