import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { killImport } from './import-matrix.ts'

/** An import that finds all its rows there still takes about this many steps. */
const STEPS = 25
const EVERY = 4
const AT_RANDOM = 1

describe('import on the embedded database, killed', () => {
  for (const when of ['before', 'after'] as const) {
    const everyNth = Array.from({ length: Math.floor(STEPS / EVERY) }, (_, at) => 3 + at * EVERY)
    const atRandom = Array.from({ length: AT_RANDOM }, () => 1 + Math.floor(Math.random() * (STEPS - 1)))
    const steps = [...atRandom, ...everyNth]

    test(`killed ${when} database steps: the same file again loses and doubles nothing`, async (context) => {
      context.diagnostic(`killed at the steps ${steps.join(', ')}`)
      const folder = await mkdtemp(join(tmpdir(), 'grantway-import-crash-'))
      try {
        await killImport({ GRANTWAY_DATA_DIR: join(folder, 'data') }, when, steps)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })
  }
})
