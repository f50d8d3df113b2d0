import { appendFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { TestDovecot } from './dovecot.ts'

/** Makes sure that there is a user of that name. @returns the address, and where its INBOX is kept (a maildir) */
export async function dovecotUser(
  world: TestDovecot,
  name: string,
  password: string,
): Promise<{ readonly address: string; readonly maildir: string }> {
  const address = `${name}@testworld.example`
  const folder = dirname(world.configFile)
  const users = join(folder, 'users')
  if (!readFileSync(users, 'utf8').includes(`${address}:`)) {
    appendFileSync(users, `${address}:{PLAIN}${password}::::::\n`)
    // Dovecot sees a change of the file when its time has changed, in whole seconds.
    await setTimeout(1100)
  }
  return { address, maildir: join(folder, 'mail', address, 'Maildir') }
}
