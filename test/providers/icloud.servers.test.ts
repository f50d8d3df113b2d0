import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createIcloud } from '../../src/providers/icloud/provider.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { addressOf, connect, signedIn } from './imap-world.ts'

let world: TestDovecot
let provider: ReturnType<typeof createIcloud>

before(async () => {
  world = await startDovecot()
  provider = createIcloud({
    endpoints: {
      imap: { host: 'localhost', port: world.imapPort },
      smtp: { host: 'localhost', port: world.smtpStarttlsPort },
    },
    allowPlaintext: false,
    ca: world.ca,
  })
})
after(async () => {
  await provider.close()
  await world.stop()
})

test('signs in with the address where the name alone is not taken', async () => {
  const account = await connect(provider, { username: addressOf('carol'), password: ' carol-pass ' })
  assert.equal(account.email, addressOf('carol'))
  assert.equal(account.identityKey, addressOf('carol'))
  assert.deepEqual(account.publicSettings, { username: addressOf('carol') })
  assert.ok(account.secret?.kind === 'mailbox')
  assert.equal(account.secret.imap.username, addressOf('carol'))
})

test('lists folders of the account', async () => {
  const session = await signedIn(provider, { username: addressOf('carol'), password: 'carol-pass' })
  const page = await provider.mail?.folders.list(session, {
    limit: 50,
    includeHiddenFolders: false,
    singleLevel: false,
  })
  assert.ok(page?.items.some((folder) => folder.id === 'INBOX'))
})

test('a wrong app password is refused as dead', async () => {
  const refused = connect(provider, { username: addressOf('carol'), password: 'wrong' })
  await assert.rejects(refused, { kind: 'grant-revoked' })
})

test('names the setting that is missing or wrong', () => {
  const read = (settings: { [name: string]: unknown }) => () => provider.identity.readSettings(settings)
  assert.throws(read({}), /settings\.username is required/)
  assert.throws(read({ username: 'a@icloud.com' }), /settings\.password is required/)
  assert.throws(read({ username: 'ada', password: 'x' }), /settings\.username must be/)
})
