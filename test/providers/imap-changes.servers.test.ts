import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { buffer } from 'node:stream/consumers'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type {
  AttachmentsPort,
  FolderChangesPort,
  Mail,
  MessageChangesPort,
} from '../../src/core/ports/mail.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { addressOf, behind, imapProvider, settingsOf, signedIn, whole } from './imap-world.ts'

const run = promisify(execFile)
/** A mail with a Message-ID of its own in each run, so that what earlier runs left in a mailbox does not count. */
const RUN = randomBytes(6).toString('hex')
const BASE = `Changes-${RUN}`
const idOf = (name: string) => `<${name}-${RUN}@changes.example>`
const source = (name: string, more = '') =>
  `From: a@x.example\r\nTo: b@x.example\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: ${idOf(name)}\r\nSubject: ${name}\r\n${more}\r\nbody of ${name}\r\n`

let world: TestDovecot
let provider: ReturnType<typeof imapProvider>
let mail: Mail
let changes: MessageChangesPort
let folderChanges: FolderChangesPort
let attachments: AttachmentsPort
let carol: GrantSession

before(async () => {
  world = await startDovecot()
  provider = imapProvider(world)
  assert.ok(provider.mail?.messageChanges && provider.mail.folderChanges && provider.mail.attachments)
  mail = provider.mail
  changes = provider.mail.messageChanges
  folderChanges = provider.mail.folderChanges
  attachments = provider.mail.attachments
  carol = await signedIn(provider, settingsOf(world, 'carol'))
  await behind(world, 'carol', async (client) => {
    for (const name of ['A', 'B', 'C']) await client.mailboxCreate(`${BASE}/${name}`)
  })
})
after(async () => {
  await behind(world, 'carol', async (client) => {
    for (const folder of (await client.list()).toReversed()) {
      if (folder.path.startsWith(BASE)) await client.mailboxDelete(folder.path).catch(() => {})
    }
  })
  await provider.close()
  await world.stop()
})

const folderId = async (session: GrantSession, name: string) => {
  const { items } = await mail.folders.list(session, {
    limit: 200,
    includeHiddenFolders: false,
    singleLevel: false,
  })
  const found = items.find((folder) => folder.name === name)
  assert.ok(found, name)
  return found.id
}
const put = (user: string, path: string, text: string, flags: string[] = []) =>
  behind(world, user, (client) => client.append(path, text, flags, new Date('2026-03-02T10:00:00Z')))
/** Subjects of a folder with their flags, behind the adapter's back. */
const seen = (user: string, path: string) =>
  behind(world, user, async (client) => {
    await client.mailboxOpen(path, { readOnly: true })
    const messages =
      client.mailbox && client.mailbox.exists
        ? await client.fetchAll('1:*', { flags: true, envelope: true })
        : []
    return messages.map(({ envelope, flags }) => [
      envelope?.subject,
      [...(flags ?? [])].filter((flag) => flag !== '\\Recent').sort(),
    ])
  })
const find = async (id: string, session = carol) =>
  whole(await mail.messages.find(session, id, { fields: 'standard' }))

test('marks as read and starred, and back, and the answer shows it', async () => {
  await put('carol', `${BASE}/A`, source('flags'))
  const id = idOf('flags')
  const read = await changes.update(carol, id, { unread: false, starred: true })
  assert.deepEqual([read.id, read.unread, read.starred], [id, false, true])
  assert.deepEqual(await seen('carol', `${BASE}/A`), [['flags', ['\\Flagged', '\\Seen']]])
  const unread = await changes.update(carol, id, { unread: true })
  assert.deepEqual([unread.unread, unread.starred], [true, true])
  assert.deepEqual(unread, await find(id))
})

test('moves to the one folder and keeps the id', async () => {
  await put('carol', `${BASE}/A`, source('move'))
  const target = await folderId(carol, `${BASE}/B`)
  const moved = await changes.update(carol, idOf('move'), { folders: [target], unread: false })
  assert.deepEqual([moved.id, moved.folders, moved.unread], [idOf('move'), [target], false])
  assert.deepEqual(await find(idOf('move')), moved)
  assert.deepEqual(await seen('carol', `${BASE}/B`), [['move', ['\\Seen']]])
  // Once more is no change.
  assert.deepEqual(await changes.update(carol, idOf('move'), { folders: [target] }), moved)
})

test('takes exactly one folder, and only one that is there', async () => {
  await put('carol', `${BASE}/A`, source('one'))
  const [a, b] = [await folderId(carol, `${BASE}/A`), await folderId(carol, `${BASE}/B`)]
  for (const folders of [[], [a, b], ['nope'], ['inbox'], ['f.!!']]) {
    await assert.rejects(changes.update(carol, idOf('one'), { folders }), { kind: 'invalid-request' })
  }
  assert.deepEqual((await find(idOf('one'))).folders, [a])
  await assert.rejects(changes.update(carol, '<nobody@x.example>', { unread: true }), { kind: 'not-found' })
})

test('an id that names the place is followed to the new one, which the answer carries', async () => {
  const text = `From: a@x.example\r\nSubject: no id ${RUN}\r\n\r\nx\r\n`
  await put('carol', `${BASE}/A`, text)
  const a = await folderId(carol, `${BASE}/A`)
  const page = await mail.messages.list(carol, { limit: 50, fields: 'standard', in: a })
  const old = page.items.map(whole).find((message) => message.subject === `no id ${RUN}`)?.id ?? ''
  assert.match(old, /^m\./)
  const b = await folderId(carol, `${BASE}/B`)
  const moved = await changes.update(carol, old, { folders: [b] })
  assert.match(moved.id, /^m\./)
  assert.notEqual(moved.id, old)
  assert.deepEqual(moved.folders, [b])
  assert.deepEqual(await find(moved.id), moved)
  assert.deepEqual(await find(old), moved)
  await changes.delete(carol, old, { hard: true })
  await assert.rejects(find(moved.id), { kind: 'not-found' })
})

test('changes every copy of a message', async () => {
  for (const path of [`${BASE}/A`, `${BASE}/B`, 'INBOX']) await put('carol', path, source('copies'))
  const id = idOf('copies')
  const [a, b, c] = await Promise.all(['A', 'B', 'C'].map((name) => folderId(carol, `${BASE}/${name}`)))
  assert.ok(a && b && c)
  assert.deepEqual((await find(id)).folders.toSorted(), ['INBOX', a, b].toSorted())
  await changes.update(carol, id, { unread: false })
  for (const path of [`${BASE}/A`, `${BASE}/B`, 'INBOX']) {
    assert.ok(
      (await seen('carol', path)).some(
        ([subject, flags]) => subject === 'copies' && String(flags) === '\\Seen',
      ),
      path,
    )
  }
  assert.deepEqual((await changes.update(carol, id, { folders: [c] })).folders, [c])
  await changes.delete(carol, id, { hard: true })
  assert.deepEqual(await seen('carol', `${BASE}/C`), [])
})

test('a copy in a folder of the common lists is changed, though only another was looked at', async () => {
  for (const path of [`${BASE}/A`, 'Archive']) await put('carol', path, source('archived'))
  const other = imapProvider(world)
  try {
    const session = await signedIn(other, settingsOf(world, 'carol'))
    await other.mail?.messages.list(session, {
      limit: 50,
      fields: 'standard',
      in: await folderId(carol, `${BASE}/A`),
    })
    await other.mail?.messageChanges?.update(session, idOf('archived'), { starred: true })
  } finally {
    await other.close()
  }
  const found = (await seen('carol', 'Archive')).find(([subject]) => subject === 'archived')
  assert.deepEqual(found?.[1], ['\\Flagged'])
  await changes.delete(carol, idOf('archived'), { hard: true })
})

test('deletes into the trash, from the trash for good, and at once when asked', async () => {
  await put('carol', `${BASE}/A`, source('trashed'))
  const id = idOf('trashed')
  await changes.delete(carol, id, { hard: false })
  assert.deepEqual((await find(id)).folders, ['Trash'])
  await changes.delete(carol, id, { hard: false })
  await assert.rejects(find(id), { kind: 'not-found' })
  await assert.rejects(changes.delete(carol, id, { hard: false }), { kind: 'not-found' })

  await put('carol', `${BASE}/A`, source('hard'))
  await changes.delete(carol, idOf('hard'), { hard: true })
  await assert.rejects(find(idOf('hard')), { kind: 'not-found' })
})

test('finds the trash by its German name, and behind a prefix', async () => {
  for (const [user, trash] of [
    ['frieda', 'Papierkorb'],
    ['bob', 'INBOX.Trash'],
  ] as const) {
    const session = await signedIn(provider, settingsOf(world, user))
    await put(user, 'INBOX', source(`trash-of-${user}`))
    await changes.delete(session, idOf(`trash-of-${user}`), { hard: false })
    assert.deepEqual((await find(idOf(`trash-of-${user}`), session)).folders, [trash])
    await changes.delete(session, idOf(`trash-of-${user}`), { hard: true })
  }
})

test('never expunges what others have marked as deleted', async () => {
  await put('carol', `${BASE}/C`, source('others'), ['\\Deleted'])
  await put('carol', `${BASE}/C`, source('ours'))
  await changes.delete(carol, idOf('ours'), { hard: true })
  assert.deepEqual(await seen('carol', `${BASE}/C`), [['others', ['\\Deleted']]])
  // Marked as deleted is as good as gone.
  await assert.rejects(find(idOf('others')), { kind: 'not-found' })
})

test('makes, renames and deletes folders of every script, below others, and in a prefix', async () => {
  const made = await folderChanges.create(carol, { name: `${BASE}/Räume & "Säle"/日本` })
  assert.equal(made.name, `${BASE}/Räume & "Säle"/日本`)
  assert.deepEqual([made.system_folder, made.total_count, made.attributes], [false, 0, []])
  assert.deepEqual(await mail.folders.find(carol, made.id, {}), made)
  const parent = await folderChanges.create(carol, { name: `${BASE}/Parent` })
  const child = await folderChanges.create(carol, { name: 'Child', parent_id: parent.id })
  assert.deepEqual([child.name, child.parent_id], [`${BASE}/Parent/Child`, parent.id])
  await put('carol', child.name, source('in-child'))

  const renamed = await folderChanges.update(carol, parent.id, { name: `${BASE}/Elternteil` })
  assert.deepEqual([renamed.name, renamed.child_count], [`${BASE}/Elternteil`, 1])
  const childNow = await folderId(carol, `${BASE}/Elternteil/Child`)
  assert.deepEqual((await find(idOf('in-child'))).folders, [childNow])
  await assert.rejects(mail.folders.find(carol, child.id, {}), { kind: 'not-found' })
  const subscribed = await behind(world, 'carol', (client) => client.list())
  assert.deepEqual(
    subscribed
      .filter((folder) => /Parent|Elternteil/.test(folder.path) && folder.subscribed)
      .map((folder) => folder.path)
      .toSorted(),
    [`${BASE}/Elternteil`, `${BASE}/Elternteil/Child`],
  )
  const lifted = await folderChanges.update(carol, childNow, { parent_id: made.id })
  assert.equal(lifted.name, `${made.name}/Child`)
  await assert.rejects(folderChanges.update(carol, made.id, { parent_id: lifted.id }), {
    kind: 'invalid-request',
  })
  await assert.rejects(folderChanges.delete(carol, made.id), { kind: 'invalid-request' })
  await folderChanges.delete(carol, lifted.id)
  await folderChanges.delete(carol, made.id)
  await folderChanges.delete(carol, renamed.id)
  await assert.rejects(folderChanges.delete(carol, renamed.id), { kind: 'not-found' })
  await assert.rejects(find(idOf('in-child')), { kind: 'not-found' })

  const bob = await signedIn(provider, settingsOf(world, 'bob'))
  const dotted = await folderChanges.create(bob, { name: BASE })
  assert.deepEqual([dotted.name, dotted.parent_id], [`INBOX.${BASE}`, 'INBOX'])
  const below = await folderChanges.create(bob, { name: `${dotted.name}.Taxes` })
  assert.equal(below.parent_id, dotted.id)
  const moved = await folderChanges.update(bob, below.id, { name: `${BASE}2` })
  assert.equal(moved.name, `INBOX.${BASE}2`)
  for (const { id } of [moved, dotted]) await folderChanges.delete(bob, id)
})

test('refuses what no folder can be', async () => {
  const taken = await folderId(carol, `${BASE}/A`)
  await assert.rejects(folderChanges.create(carol, { name: `${BASE}/A` }), { kind: 'conflict' })
  await assert.rejects(folderChanges.create(carol, { name: 'inbox' }), { kind: 'conflict' })
  await assert.rejects(folderChanges.update(carol, taken, { name: `${BASE}/B` }), { kind: 'conflict' })
  for (const name of ['', ' ', '/', `${BASE}//x`, `${BASE}/`, 'a\nb', 'a*b', 'a%b', 'x'.repeat(1001)]) {
    await assert.rejects(
      folderChanges.create(carol, { name }),
      { kind: 'invalid-request' },
      JSON.stringify(name),
    )
  }
  await assert.rejects(folderChanges.create(carol, { name: 'x', parent_id: 'nope' }), {
    kind: 'invalid-request',
  })
  for (const id of ['INBOX', 'Trash', 'Sent', 'Archive']) {
    await assert.rejects(
      folderChanges.update(carol, id, { name: `${BASE}/X` }),
      { kind: 'invalid-request' },
      id,
    )
    await assert.rejects(folderChanges.delete(carol, id), { kind: 'invalid-request' }, id)
  }
  await assert.rejects(folderChanges.update(carol, 'nope', { name: 'x' }), { kind: 'not-found' })
})

const wrapped = (bytes: Buffer) => bytes.toString('base64').replace(/.{76}/g, '$&\r\n')

test('streams attachments of every form, byte for byte', async () => {
  const large = randomBytes(3 * 1024 * 1024 + 7)
  const part = (headers: string, body: string) => `--b\r\n${headers}\r\n\r\n${body}\r\n`
  const text =
    `From: a@x.example\r\nMessage-ID: ${idOf('files')}\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
    part('Content-Type: text/plain', 'hello') +
    part(
      'Content-Type: application/pdf; name="Äpfel.pdf"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64',
      wrapped(large),
    ) +
    part(
      'Content-Type: text/calendar; method=REQUEST\r\nContent-Transfer-Encoding: quoted-printable',
      'BEGIN:VCALENDAR=\r\n=0D=0AEND',
    ) +
    part('Content-Type: message/rfc822', 'From: c@x.example\r\nSubject: inner\r\n\r\ninner text') +
    part('Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit', 'plain bytes') +
    part(
      'Content-Type: image/png; name=empty.png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment',
      '',
    ) +
    '--b--\r\n'
  await put('carol', `${BASE}/A`, text)
  const message = await find(idOf('files'))
  assert.deepEqual(
    message.attachments.map((entry) => entry.filename),
    ['Äpfel.pdf', '', 'message.eml', '', 'empty.png'],
  )
  const read = async (attachmentId: string) => {
    const opened = await attachments.open(carol, { messageId: idOf('files'), attachmentId })
    const bytes = await buffer(opened.content)
    if (opened.sizeBytes !== undefined) assert.equal(opened.sizeBytes, bytes.length)
    return { ...opened, bytes }
  }
  const [pdf, calendar, inner, plain, empty] = message.attachments
  assert.ok(pdf && calendar && inner && plain && empty)
  const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  assert.equal(sha((await read(pdf.id)).bytes), sha(large))
  assert.ok(Math.abs(pdf.size - large.length) < large.length / 50)
  assert.equal((await read(calendar.id)).bytes.toString(), 'BEGIN:VCALENDAR\r\nEND')
  assert.equal(
    (await read(inner.id)).bytes.toString(),
    'From: c@x.example\r\nSubject: inner\r\n\r\ninner text',
  )
  assert.equal((await read(plain.id)).bytes.toString(), 'plain bytes')
  assert.equal((await read(empty.id)).bytes.length, 0)
  assert.deepEqual((await read(pdf.id)).attachment, pdf)
  for (const entry of message.attachments) {
    assert.deepEqual(
      await attachments.find(carol, { messageId: idOf('files'), attachmentId: entry.id }),
      entry,
    )
  }
  const base64 = (value: string) => Buffer.from(value).toString('base64')
  const hosted = `v0:${base64('Äpfel.pdf')}:${base64('application/pdf; name="Äpfel.pdf"')}:${large.length}`
  assert.deepEqual(await attachments.find(carol, { messageId: idOf('files'), attachmentId: hosted }), pdf)
  for (const attachmentId of ['a0.x', 'v0:x:y:1', 'nope', '']) {
    await assert.rejects(attachments.open(carol, { messageId: idOf('files'), attachmentId }), {
      kind: 'not-found',
    })
  }
  await assert.rejects(attachments.open(carol, { messageId: '<no@x>', attachmentId: pdf.id }), {
    kind: 'not-found',
  })
})

test('a message that is one file is its own attachment', async () => {
  const bytes = randomBytes(2000)
  await put(
    'carol',
    `${BASE}/B`,
    `Message-ID: ${idOf('single')}\r\nContent-Type: application/zip; name=a.zip\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n${wrapped(bytes)}\r\n`,
  )
  const [zip] = (await find(idOf('single'))).attachments
  assert.ok(zip)
  const { content } = await attachments.open(carol, { messageId: idOf('single'), attachmentId: zip.id })
  assert.deepEqual(await buffer(content), bytes)
})

test('readers that hang up or hold still keep no connection', async () => {
  const [pdf] = (await find(idOf('files'))).attachments
  assert.ok(pdf)
  const ref = { messageId: idOf('files'), attachmentId: pdf.id }
  const held = await Promise.all(Array.from({ length: 12 }, () => attachments.open(carol, ref)))
  // All of them wait for a reader; the mailbox is there for others.
  assert.equal((await find(idOf('single'))).id, idOf('single'))
  for (const { content } of held.slice(0, 6)) content.destroy()
  const read = await Promise.all(held.slice(6).map(({ content }) => buffer(content)))
  assert.equal(new Set(read.map((bytes) => createHash('sha256').update(bytes).digest('hex'))).size, 1)
})

test('a download goes on when the connection is lost, and fails when the message is', async () => {
  const [pdf] = (await find(idOf('files'))).attachments
  assert.ok(pdf)
  const ref = { messageId: idOf('files'), attachmentId: pdf.id }
  const { content } = await attachments.open(carol, ref)
  await run('doveadm', ['-c', world.configFile, 'kick', addressOf('carol')])
  assert.equal((await buffer(content)).length, 3 * 1024 * 1024 + 7)
  const second = await attachments.open(carol, ref)
  await changes.delete(carol, ref.messageId, { hard: true })
  await assert.rejects(buffer(second.content), { kind: 'not-found' })
})
