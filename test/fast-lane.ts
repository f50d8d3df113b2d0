// The fast lane as one test file: imports every test that needs nothing but Node into this process, because a
// process per file was the main cost. `scripts/run-tests.ts` starts it.
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = globSync('{src,test}/**/*.test.ts', { cwd: root })
  .filter((file) => !/\.(servers|crash)\.test\.ts$/.test(file))
  .toSorted((a, b) => (a < b ? -1 : 1))

assert.ok(files.length > 10, 'the pattern for test files matches next to nothing')

for (const file of files) {
  try {
    await import(pathToFileURL(`${root}${file}`).href)
  } catch (error) {
    test(`${file} can be loaded`, () => assert.ifError(error))
  }
}
