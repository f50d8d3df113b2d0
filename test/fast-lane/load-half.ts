import assert from 'node:assert/strict'
import { globSync, statSync } from 'node:fs'
import { describe } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const MAX_LOAD_MS = 60_000

/**
 * Makes every second file of the fast lane a suite of this process: a process per file was the main cost. Root-level
 * hooks of a file become hooks of its suite, so they run for its own tests only, and what it started is stopped
 * before the next file begins. A file that can't be loaded is a suite that failed.
 */
export function loadHalf(half: 0 | 1): void {
  const files = globSync('{src,test}/**/*.test.ts', { cwd: root })
    .filter((file) => !/\.(servers|crash)\.test\.ts$/.test(file))
    .map((file) => ({ file, bytes: statSync(root + file).size }))
    // Dealt by size, because a long file tends to run long.
    .toSorted((a, b) => b.bytes - a.bytes || (a.file < b.file ? -1 : 1))
  assert.ok(files.length > 100, 'the pattern for test files matches next to nothing')
  for (const { file } of files.filter((_, place) => place % 2 === half)) {
    describe(file, async () => {
      // A suite that waits for ever would hold the whole run, with nothing said.
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${file} is not loaded after a minute`)), MAX_LOAD_MS)
      })
      await Promise.race([import(pathToFileURL(root + file).href), late]).finally(() => clearTimeout(timer))
    })
  }
}
