import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/security/rfc9700.md'), 'utf8')
const rows = page.split('\n').filter((line) => /^\| \d/.test(line))

/** The tests a text names: `file`: “name”; “another of the same file”. */
function namedTests(text: string): readonly (readonly [file: string, name: string])[] {
  let file = ''
  return [...text.matchAll(/`(test\/[^`]+\.test\.ts)`|“([^”]+)”/g)].flatMap(([, path, name]) => {
    file = path ?? file
    // A name may go over the end of a line.
    return name === undefined ? [] : [[file, name.replaceAll(/\s+/g, ' ')] as const]
  })
}

test('each line of the checklist has a section, files that exist, and a test', () => {
  assert.ok(rows.length > 25)
  for (const row of rows) {
    const [section = '', requirement, how, tests = '', ...more] = row
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim())
    assert.match(section, /^[24](\.\d+){1,3}(, [24](\.\d+){1,3})*$/, row)
    assert.ok(requirement !== '' && how !== '' && more.length === 0, row)
    assert.ok(namedTests(tests).length > 0, row)
  }
  for (const [, file = ''] of page.matchAll(/`((?:src|test)\/[^`]+)`/g)) {
    assert.ok(existsSync(join(root, file)), file)
  }
})

test('each test the checklist names is there by that name', () => {
  const named = namedTests(page.slice(page.indexOf('## As authorization server')))
  assert.ok(named.length > 40)
  const missing = named.filter(([file, name]) => {
    const text = readFileSync(join(root, file), 'utf8')
    return ![`'${name}'`, `\`${name}\``].some((quoted) => text.includes(`test(${quoted},`))
  })
  assert.deepEqual(missing, [])
})
