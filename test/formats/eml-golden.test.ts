import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { become, emlFixtures, GOLDENS, goldenPath, readEml } from '../support/eml-fixtures.ts'

/*
 * What each fixture becomes, byte for byte. After a change that is meant: `UPDATE_GOLDEN=1` writes the files anew, and
 * whoever does that reads the difference.
 */

const isUpdate = process.env['UPDATE_GOLDEN'] === '1'
const files = emlFixtures()

test('every fixture becomes what its golden file says', () => {
  assert.equal(files.length, 177)
  const differing: string[] = []
  for (const name of files) {
    const golden = goldenPath(name)
    const text = `${JSON.stringify(become(readEml(name)), null, 2)}\n`
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
    const { message } = become(readEml(name))
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
