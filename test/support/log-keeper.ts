import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Logger } from '../../src/kit/logger.ts'

/** Keeps everything a server logs, at the most talkative level, so that a test can look for secrets in it. */
export function logKeeper(): {
  readonly log: Logger
  text(): string
  /** Every file below a folder, whole. */
  filesOf(folder: string): Promise<readonly { readonly name: string; readonly bytes: Buffer }[]>
} {
  let text = ''
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return {
    log: pino({ level: 'trace' }, sink),
    text: () => text,
    async filesOf(folder) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile())
      return Promise.all(
        files.map(async ({ name, parentPath }) => ({ name, bytes: await readFile(join(parentPath, name)) })),
      )
    },
  }
}
