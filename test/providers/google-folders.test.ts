import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

let world: GoogleWorld
let session: TestSession

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  session = world.session('sandbox-refresh-token-ada')
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
})

const changes = () => world.google.mail!.folderChanges!
const fails =
  (kind: ProviderErrorKind, text = /./) =>
  (error: unknown) =>
    error instanceof ProviderError && error.kind === kind && text.test(error.message)

test('a label is made, renamed, coloured and removed; messages stay', async () => {
  const made = await changes().create(session, {
    name: 'Kunden/Größe',
    text_color: '#FFFFFF',
    background_color: '#16A766',
  })
  assert.match(made.id, /^Label_\d+$/)
  assert.deepEqual(
    [made.name, made.system_folder, made.total_count, made.unread_count, made.background_color],
    ['Kunden/Größe', false, 0, 0, '#16a766'],
  )
  const { folders, messages, messageChanges } = world.google.mail!
  assert.deepEqual(await folders.find(session, made.id, {}), made)
  const [message] = (await messages.list(session, { limit: 1, fields: 'standard' })).items
  await messageChanges!.update(session, message!.id, { folders: [made.id] })
  const renamed = await changes().update(session, made.id, { name: 'Kunden' })
  assert.deepEqual(renamed, { ...made, name: 'Kunden', total_count: 1, unread_count: renamed.unread_count })
  assert.deepEqual(await changes().update(session, made.id, {}), renamed)
  await changes().delete(session, made.id)
  await assert.rejects(changes().delete(session, made.id), fails('not-found'))
  const kept = await messages.find(session, message!.id, { fields: 'standard' })
  assert.ok('folders' in kept && !kept.folders.includes(made.id))
})

test('refuses one colour alone, colours off the palette, parents, taken names and system folders', async () => {
  const half = { name: 'x', text_color: '#ffffff' }
  await assert.rejects(changes().create(session, half), fails('invalid-request', /background_color/))
  await assert.rejects(
    changes().update(session, 'Label_2', { background_color: '#ffffff' }),
    fails('invalid-request', /text_color/),
  )
  const odd = { name: 'x', text_color: '#123456', background_color: '#ffffff' }
  await assert.rejects(changes().create(session, odd), fails('invalid-request'))
  await assert.rejects(
    changes().create(session, { name: 'x', parent_id: 'Label_2' }),
    fails('unsupported', /parent_id/),
  )
  await assert.rejects(changes().create(session, { name: 'INBOX' }), fails('conflict'))
  await assert.rejects(changes().update(session, 'INBOX', { name: 'x' }), fails('invalid-request', /system/))
  await assert.rejects(changes().delete(session, 'CATEGORY_SOCIAL'), fails('invalid-request', /system/))
  await assert.rejects(changes().update(session, '../x', { name: 'x' }), fails('not-found'))
})

test('a label is not made again when the answer was lost', async () => {
  await session.accessToken()
  world.sandbox.control.fail({ target: 'api', mode: 'drop-before' })
  const from = world.validator.seen.length
  await assert.rejects(changes().create(session, { name: 'Once' }), fails('unavailable'))
  assert.equal(world.validator.seen.slice(from).filter(({ method }) => method === 'POST').length, 1)
})
