import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isJsonObject, parseJson } from '../../src/kit/json.ts'
import type { TestDovecot } from './dovecot.ts'

/** A message as the far side of the mail server got it, with the recipients of its envelope. */
export interface Relayed {
  readonly source: Buffer
  readonly to: readonly string[]
}

/** Every message with the id that left the mail server for elsewhere: one for each transaction. */
export async function relayed(world: TestDovecot, messageId: string): Promise<readonly Relayed[]> {
  const folder = join(dirname(world.configFile), 'outbound')
  const found: Relayed[] = []
  // The note is renamed into place after its message is whole: a message without one is still being written.
  for (const note of (await readdir(folder)).filter((entry) => entry.endsWith('.json'))) {
    const source = await readFile(join(folder, note.replace(/\.json$/u, '.eml')))
    if (!source.subarray(0, 65_536).includes(`Message-ID: ${messageId}`)) continue
    const envelope = parseJson(await readFile(join(folder, note), 'utf8'))
    const to = isJsonObject(envelope) && Array.isArray(envelope['to']) ? envelope['to'].map(String) : []
    found.push({ source, to })
  }
  return found
}
