import { describe, test } from 'node:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killImport } from './import-matrix.ts'

describe('import on the embedded database, killed', () => {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} database steps: the same file again loses and doubles nothing`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'grantway-import-crash-'))
      try {
        await killImport({ GRANTWAY_DATA_DIR: join(folder, 'data') }, when, [3, 6, 9, 14])
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })
  }
})
