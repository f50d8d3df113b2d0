// Mailboxes for B3: accounts of their own on the test's Dovecot, filled once.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ImapFlow } from 'imapflow'
import type { TestDovecot } from '../test/support/dovecot.ts'

export const PASSWORD = 'bench-pass'
const CONNECTIONS = 8

/** Makes sure that a user is there with at least `count` messages in INBOX. @returns the address */
export async function mailboxOf(world: TestDovecot, name: string, count: number): Promise<string> {
  const address = `${name}@testworld.example`
  const folder = dirname(world.configFile)
  const users = join(folder, 'users')
  const isNew = !readFileSync(users, 'utf8').includes(`${address}:`)
  if (isNew) appendFileSync(users, `${address}:{PLAIN}${PASSWORD}::::::\n`)
  const done = join(folder, `bench-filled-${name}-${count}`)
  if (existsSync(done)) return address
  // Dovecot sees a change of the file when its time has changed, in whole seconds.
  if (isNew) await setTimeout(1100)
  const first = await connect(world, address)
  const present = await first.status('INBOX', { messages: true })
  let next = present ? (present.messages ?? 0) : 0
  await first.logout()
  const worker = async () => {
    const client = await connect(world, address)
    while (next < count) {
      const n = next++
      await client.append('INBOX', messageOf(n), n % 3 === 0 ? [] : ['\\Seen'], dateOf(n))
    }
    await client.logout()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  writeFileSync(done, '')
  return address
}

export async function connect(world: TestDovecot, user: string): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: world.host,
    port: world.imapsPort,
    secure: true,
    tls: { ca: world.ca },
    auth: { user, pass: PASSWORD },
    logger: false,
    disableAutoIdle: true,
  })
  await client.connect()
  return client
}

const dateOf = (n: number) => new Date((1_600_000_000 + n * 60) * 1000)

/** An ordinary mail: plain and HTML, every tenth with a file, every fourth an answer. */
function messageOf(n: number): string {
  const id = (at: number) => `<bench-${at}.${at * 7919}@mail.example>`
  const text = `Hello,\r\n\r\n${'the quarterly figures are attached, please have a look. '.repeat(8)}\r\n\r\nNumber ${n}\r\n`
  const html = `<html><body><p>Hello,</p><p>${'the <b>quarterly</b> figures are attached, please have a look. '.repeat(8)}</p><p>Number ${n} é</p></body></html>`
  const alternative = `Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n--alt\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n--alt--\r\n`
  const body =
    n % 10 === 0
      ? `Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\n${alternative}\r\n--mix\r\nContent-Type: application/pdf; name=figures.pdf\r\nContent-Disposition: attachment; filename=figures.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${'JVBERi0xLjcKJcKlwrHDqwo='.repeat(40)}\r\n--mix--\r\n`
      : alternative
  const threading = n % 4 === 3 ? `References: ${id(n - 3)}\r\nIn-Reply-To: ${id(n - 3)}\r\n` : ''
  return `Message-ID: ${id(n)}\r\nDate: ${dateOf(n).toUTCString()}\r\nFrom: =?UTF-8?Q?Ad=C3=A9le?= <adele${n % 40}@acme.example>\r\nTo: Ben <ben@globex.example>, cy@globex.example\r\nSubject: Figures ${n} =?UTF-8?Q?f=C3=BCr?= you\r\n${threading}MIME-Version: 1.0\r\n${body}`
}
