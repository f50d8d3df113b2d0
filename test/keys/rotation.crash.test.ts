import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { killRotating } from './rotation-kills.ts'

const folder = mkdtempSync(join(tmpdir(), 'grantway-key-crash-'))
after(() => rmSync(folder, { recursive: true, force: true }))

for (const when of ['before', 'after'] as const) {
  test(`a rotation killed ${when} any of its writes: everything opens, and the next one finishes it`, async () => {
    // New key, credentials, two batches of grants, the closing, the end.
    assert.equal(await killRotating({ GRANTWAY_DATA_DIR: join(folder, when) }, when), 6)
  })
}
