import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseMessage } from '../../src/formats/mime/parse-message.ts'
import { selectParts } from '../../src/formats/mime/select-parts.ts'
import { type ConversationOptions, conversationOf } from '../../src/formats/html/conversation.ts'
import { messageFromSource } from '../../src/standards/imap-mail/message-from-source.ts'

/*
 * What each fixture becomes, byte for byte. After a change that is meant: `UPDATE_GOLDEN=1` writes the files anew, and
 * whoever does that reads the difference.
 */

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'eml')
const GOLDENS = join(import.meta.dirname, '..', 'fixtures', 'eml-golden')
const isUpdate = process.env['UPDATE_GOLDEN'] === '1'

const CLEAN: ConversationOptions = {
  markdown: false,
  links: false,
  images: 'none',
  tables: false,
  removesConclusion: true,
}

const files = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.eml'))
  .toSorted()

/** The message as the API shows it, its newest part, and a digest of each attachment's bytes. */
function become(source: Uint8Array) {
  const message = messageFromSource(source, {
    grantId: 'g',
    date: 1_767_225_600,
    folders: ['INBOX'],
    unread: true,
    starred: false,
    place: { path: 'INBOX', uidValidity: 1, uid: 1 },
  })
  const parsed = parseMessage(source)
  const downloads = selectParts(parsed.structure).attachments.map(({ part }) => {
    const bytes = parsed.contentOf(part) ?? Buffer.alloc(0)
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  })
  const { body } = message
  return {
    message,
    conversation: conversationOf(body, CLEAN),
    markdown: conversationOf(body, {
      ...CLEAN,
      markdown: true,
      links: true,
      images: 'markdown',
      tables: true,
    }),
    downloads,
  }
}

test('every fixture becomes what its golden file says', () => {
  assert.equal(files.length, 177)
  const differing: string[] = []
  for (const name of files) {
    const golden = join(GOLDENS, `${name.slice(0, -'.eml'.length)}.json`)
    const text = `${JSON.stringify(become(readFileSync(join(FIXTURES, name))), null, 2)}\n`
    if (isUpdate) {
      mkdirSync(dirname(golden), { recursive: true })
      writeFileSync(golden, text)
    }
    if (!existsSync(golden) || readFileSync(golden, 'utf8') !== text) differing.push(name)
  }
  assert.deepEqual(differing, [], 'UPDATE_GOLDEN=1 writes them anew')
})

test('no golden file is left over from a fixture that has gone', () => {
  const goldens = readdirSync(GOLDENS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  assert.deepEqual(
    goldens.map((name) => name.slice(0, -'.json'.length)).toSorted(),
    files.map((name) => name.slice(0, -'.eml'.length)),
  )
})

test('no fixture shows an encoded word', () => {
  for (const name of files) {
    const { message } = become(readFileSync(join(FIXTURES, name)))
    const names = [...message.from, ...message.to, ...message.cc].map((each) => each.name ?? '')
    for (const text of [
      message.subject,
      message.snippet,
      ...names,
      ...message.attachments.map((a) => a.filename),
    ]) {
      assert.ok(!/=\?[\w-]+\?[bq]\?[^?\s]*\?=/i.test(text), `${name}: ${text}`)
    }
  }
})
