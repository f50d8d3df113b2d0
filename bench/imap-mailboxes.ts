// Mailboxes for B3: accounts of their own on the test's Dovecot, filled once.
import { chownSync, existsSync, linkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ImapFlow } from 'imapflow'
import type { TestDovecot } from '../test/support/dovecot.ts'
import { dovecotUser } from '../test/support/dovecot-user.ts'
import { ATTACHMENT_BYTES } from './mail-upstream-mail.ts'
import { API_KEY } from './server-child.ts'

const PASSWORD = 'bench-pass'
const CONNECTIONS = 8

/** From so many on they are written into the mailbox's folder: APPEND takes 60 a second. */
const WRITTEN_FROM = 10_000

/** Makes sure that a user is there with at least `count` messages in INBOX. @returns the address */
export async function mailboxOf(world: TestDovecot, name: string, count: number): Promise<string> {
  const { address, maildir } = await dovecotUser(world, name, PASSWORD)
  const done = join(dirname(world.configFile), `bench-filled-${name}-${count}`)
  if (existsSync(done)) return address
  const first = await connect(world, address)
  const present = await first.status('INBOX', { messages: true })
  let next = present ? (present.messages ?? 0) : 0
  await first.logout()
  if (count >= WRITTEN_FROM) {
    for (; next < count; next += 1) {
      writeMail(maildir, next, Buffer.from(messageOf(next)), dateOf(next))
    }
  }
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

/**
 * Puts a message where Dovecot finds it: the name has its size (S) and that with CRLF (W), the file's time is
 * INTERNALDATE (doc.dovecot.org, maildir, checked 2026-11). Names are in the order of their numbers, so UIDs are, too.
 */
export function writeMail(maildir: string, number: number, source: Buffer, date: Date): string {
  const { uid, gid } = statSync(dirname(maildir))
  const time = 1_000_000_000 + number
  const path = join(maildir, 'cur', `${time}.M0P1.bench,S=${source.length},W=${source.length}:2,S`)
  writeFileSync(path, source)
  chownSync(path, uid, gid)
  utimesSync(path, date, date)
  return path
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

/** Mailboxes whose newest mail has an attachment of `ATTACHMENT_BYTES`: the same file in all of them. */
export async function bigAttachments(world: TestDovecot, count: number): Promise<readonly string[]> {
  const addresses: string[] = []
  let first: string | undefined
  for (let n = 1; n <= count; n += 1) {
    const name = `benchfile${n}`
    addresses.push(await mailboxOf(world, name, 0))
    const { maildir } = await dovecotUser(world, name, PASSWORD)
    const path = first
      ? join(maildir, 'cur', basename(first))
      : writeMail(maildir, 0, withAttachment(), dateOf(0))
    if (first) linkOnce(first, path)
    first ??= path
  }
  return addresses
}

function linkOnce(from: string, to: string): void {
  rmSync(to, { force: true })
  linkSync(from, to)
}

function withAttachment(): Buffer {
  const base64 = Buffer.alloc(ATTACHMENT_BYTES, 'all work and no play ').toString('base64')
  const lines = base64.match(/.{1,76}/g) ?? []
  const head =
    'From: a@x.example\r\nMessage-ID: <big-file@bench.example>\r\nSubject: big\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\nContent-Type: text/plain\r\n\r\nsee attached\r\n--mix\r\nContent-Type: application/octet-stream; name=big.bin\r\nContent-Disposition: attachment; filename=big.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n'
  return Buffer.from(`${head}${lines.join('\r\n')}\r\n--mix--\r\n`)
}

/** Makes a grant of a mailbox. @returns its id */
export async function connectMailbox(url: string, world: TestDovecot, address: string): Promise<string> {
  const settings = {
    imap_username: address,
    imap_password: PASSWORD,
    imap_host: 'localhost',
    imap_port: world.imapsPort,
    imap_tls: 'implicit',
  }
  const answer = await post(url, '/v3/connect/custom', { provider: 'imap', settings })
  return (JSON.parse(answer) as { data: { id: string } }).data.id
}

export async function post(url: string, path: string, body: object): Promise<string> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
  return text
}

export const dateOf = (n: number) => new Date((1_600_000_000 + n * 60) * 1000)

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
