import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullFolder } from '../../src/contract/folder.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type MailWorld, startMailWorld } from '../support/mail-world.ts'

let world: MailWorld
let grant: GrantRecord
let base: string
let calls: unknown[][] = []

function aFolder(id: string, name = 'Sub'): FullFolder {
  return {
    id,
    grant_id: grant.id,
    object: 'folder',
    name,
    parent_id: 'INBOX',
    child_count: 0,
    background_color: '#000000',
    text_color: '#ffffff',
    system_folder: false,
    total_count: 812,
    unread_count: 1,
    attributes: ['\\Archive'],
  }
}

const never = () => Promise.reject(new Error('not asked'))
const yahoo: Mail = {
  messages: { list: never, find: never },
  folders: {
    list: async () => ({ items: [] }),
    find: async (_session, id) => aFolder(id),
  },
}
const google: Mail = {
  ...yahoo,
  folderChanges: {
    async create(_session, folder) {
      calls.push(['create', folder])
      return aFolder('new', folder.name)
    },
    async update(_session, id, change) {
      calls.push(['update', id, change])
      if (id === 'INBOX') throw new ProviderError('invalid-request', 'INBOX is a system folder')
      return aFolder(id, change.name)
    },
    async delete(_session, id) {
      calls.push(['delete', id])
    },
  },
}

before(async () => {
  world = await startMailWorld({ google, yahoo })
  grant = await world.addGrant()
  base = `/v3/grants/${grant.id}/folders`
})
after(() => world.stop())
beforeEach(() => {
  calls = []
})

const call = (method: string, path: string, body?: unknown) => world.app.call(method, base + path, body)

test('creates a folder, and answers it whole', async () => {
  const body = { name: 'Taxes ✉', parent_id: 'INBOX', text_color: '#ffffff', background_color: '#000000' }
  const answer = await call('POST', '', { ...body, id: 'mine' })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, { request_id: answer.body.request_id, data: aFolder('new', 'Taxes ✉') })
  assert.deepEqual(calls, [['create', body]])
})

test('refuses a folder without a fit name or colour', async () => {
  for (const [body, message] of [
    [undefined, /name/],
    [{}, /name/],
    [{ name: '' }, /name/],
    [{ name: 'x'.repeat(1025) }, /name/],
    [{ name: 1 }, /name/],
    [{ name: 'a', text_color: 'red' }, /text_color/],
    [{ name: 'a', parent_id: {} }, /parent_id/],
  ] as const) {
    const answer = await call('POST', '', body)
    assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.invalid_request_error'])
    assert.match(answer.body.error.message, message)
  }
  assert.deepEqual(calls, [])
})

test('changes and deletes a folder by its id, encoded or as raw path segments', async () => {
  for (const [path, id] of [
    ['INBOX%2FSub', 'INBOX/Sub'],
    ['INBOX/Sub', 'INBOX/Sub'],
    ['A/B/%C3%A9', 'A/B/é'],
    [`AAMk${'x'.repeat(400)}=`, `AAMk${'x'.repeat(400)}=`],
  ] as const) {
    const answer = await call('PUT', `/${path}`, { name: 'Renamed' })
    assert.deepEqual(answer.body, { request_id: answer.body.request_id, data: aFolder(id, 'Renamed') })
    const deleted = await call('DELETE', `/${path}`, {})
    assert.deepEqual(deleted.body, { request_id: deleted.body.request_id })
    assert.deepEqual(calls.splice(0), [
      ['update', id, { name: 'Renamed' }],
      ['delete', id],
    ])
  }
  for (const method of ['GET', 'PUT', 'DELETE']) assert.equal((await call(method, '/')).status, 404)
})

test('a change of nothing changes nothing, and answers the folder', async () => {
  assert.deepEqual((await call('PUT', '/F1', {})).body.data, aFolder('F1'))
  assert.deepEqual((await call('PUT', '/F1?select=name', { object: 'x' })).body.data, { name: 'Sub' })
  assert.deepEqual(calls, [])
})

test('passes on that a system folder stays as it is', async () => {
  const answer = await call('PUT', '/INBOX', { name: 'x' })
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.body.error, {
    type: 'api.invalid_request_error',
    message: 'INBOX is a system folder',
  })
})

test('says what a grant of this provider cannot do with folders', async () => {
  const other = await world.addGrant({ provider: 'yahoo' })
  const path = `/v3/grants/${other.id}/folders`
  for (const [method, url, body, doing] of [
    ['POST', path, { name: 'x' }, 'create'],
    ['PUT', `${path}/F`, { name: 'x' }, 'change'],
    ['DELETE', `${path}/F`, undefined, 'delete'],
  ] as const) {
    const answer = await world.app.call(method, url, body)
    assert.equal(answer.status, 400)
    assert.equal(answer.body.error.message, `A yahoo grant cannot ${doing} folders.`)
  }
})
