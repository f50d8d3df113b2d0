import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import { withDeadline } from '../../src/kit/deadline.ts'
import { type ApiAnswer, type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import type { ScriptFolder } from '../support/imap-script-mailbox.ts'
import { type ImapCall, type ImapScript, startImapScript } from '../support/imap-script-server.ts'
import type { FuzzArea } from './areas.ts'
import { plan, type Plan } from './imap-mutations.ts'
import { mutate } from './mutate-answer.ts'
import { soon } from './soon.ts'

/** How long a request may work while the server misbehaves, and while it does not: other programs may be busy. */
const HOSTILE_MS = 150
const HEALTHY_MS = 15_000
/** How long the request may work that meets a connection with half an answer in it. */
const LEFTOVER_MS = 300

const message = (name: string, more = '', body = `text of ${name}`) => ({
  headers: `From: "A" <a@x.example>\r\nTo: b@x.example\r\nMessage-ID: <${name}@x.example>\r\nSubject: ${name}${more}`,
  body,
})
const FILE = 'x'.repeat(600_000)
const FOLDERS: readonly ScriptFolder[] = [
  {
    path: 'INBOX',
    messages: [
      // As the update leaves it: an input must not depend on those before.
      { ...message('a'), flags: ['\\Seen', '\\Flagged'] },
      message('b', '\r\nReferences: <a@x.example>\r\nIn-Reply-To: <a@x.example>'),
      message('html', '\r\nContent-Type: text/html', '<p>html</p>'),
      message('file', '\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit', FILE),
    ],
  },
  { path: 'Sent', messages: [message('c')] },
  { path: 'Work/deep' },
]

/** What is asked of a mailbox; the ids are those of a healthy one. */
const id = (name: string) => encodeURIComponent(`<${name}@x.example>`)
interface Ids {
  readonly thread: string
  readonly attachment: string
}
const REQUESTS: {
  readonly [name: string]: (ids: Ids) => readonly [method: string, path: string, body?: object]
} = {
  list: () => ['GET', 'messages?limit=3'],
  'list one folder': () => ['GET', 'messages?in=INBOX&limit=50'],
  'list with headers': () => ['GET', 'messages?in=INBOX&fields=include_headers'],
  'list raw': () => ['GET', 'messages?in=INBOX&fields=raw_mime&limit=2'],
  search: () => ['GET', 'messages?subject=html&unread=true'],
  find: () => ['GET', `messages/${id('b')}`],
  'find raw': () => ['GET', `messages/${id('b')}?fields=raw_mime`],
  threads: () => ['GET', 'threads?limit=5'],
  thread: ({ thread }) => ['GET', `threads/${thread}`],
  folders: () => ['GET', 'folders'],
  folder: () => ['GET', 'folders/INBOX'],
  attachment: ({ attachment }) => ['GET', `attachments/${attachment}?message_id=${id('file')}`],
  download: ({ attachment }) => ['GET', `attachments/${attachment}/download?message_id=${id('file')}`],
  update: () => ['PUT', `messages/${id('a')}`, { starred: true, unread: false }],
  clean: () => ['PUT', 'messages/clean', { message_id: [`<a@x.example>`, `<html@x.example>`] }],
}

/**
 * Answers of a mail server that misbehaves, through the whole server. No request is answered with 500, takes a second of
 * the processor or stays without an answer, and the next one, when the server behaves again, works: at once for another
 * mailbox, and for this one unless its connection holds half an answer, which may cost one request.
 */
export async function startImapArea(): Promise<{ readonly area: FuzzArea; stop(): Promise<void> }> {
  const host = misbehaving()
  const server = await startImapScript(host.script)
  let deadlineMs = HEALTHY_MS
  const app = await startGrantway(
    { GRANTWAY_ALLOW_PLAINTEXT_MAIL: 'true', GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8' },
    {
      overrides: {
        wrapProviders: (providers) =>
          new Map(
            [...providers].map(([name, module]) => [
              name,
              name === 'imap' && module.mail
                ? { ...module, mail: withinDeadline(module.mail, () => deadlineMs) }
                : module,
            ]),
          ),
      },
    },
  )
  await ok(app.call('POST', '/v3/connectors', { provider: 'imap' }))
  let accounts = 0
  const connect = async () => {
    accounts += 1
    const settings = {
      imap_username: `u${accounts}@x.example`,
      imap_password: 'planted-password',
      imap_host: '127.0.0.1',
      imap_port: server.port,
      imap_tls: 'starttls',
    }
    const { body } = await ok(app.call('POST', '/v3/connect/custom', { provider: 'imap', settings }))
    return `/v3/grants/${body.data.id}/`
  }
  const bystander = await connect()
  const listed = await ok(app.call('GET', `${bystander}messages?in=INBOX`))
  const truth: { id: string; thread_id: string; attachments: { id: string }[] }[] = listed.body.data
  const file = truth.find((each) => each.attachments.length > 0)
  assert.ok(file?.attachments[0])
  const ids = {
    thread: encodeURIComponent(truth.find((each) => each.id === '<b@x.example>')?.thread_id ?? ''),
    attachment: encodeURIComponent(file.attachments[0].id),
  }

  const tried = async (misconduct: Plan, requests: readonly string[], cutsAfterwards: boolean) => {
    const path = await connect()
    host.misbehave(misconduct)
    deadlineMs = HOSTILE_MS
    for (const name of requests) {
      const asked = REQUESTS[name]?.(ids)
      assert.ok(asked)
      await soon(() => ask(app, path, asked))
    }
    host.behave()
    deadlineMs = HEALTHY_MS
    if (cutsAfterwards) host.cutAll()
    const other = await ok(app.call('GET', `${bystander}messages?in=INBOX`))
    assert.ok(isDeepStrictEqual(other.body.data, listed.body.data), `another mailbox: ${other.text}`)
    // A refused sign-in ends a grant; nothing else may.
    const { body } = await ok(app.call('GET', path.slice(0, -1)))
    if (body.data.grant_status !== 'valid') {
      assert.ok(
        misconduct.misdeeds.some(({ command: name }) =>
          ['LOGIN', 'AUTHENTICATE', 'NAMESPACE', 'any'].includes(name),
        ),
        'a grant ended',
      )
      return
    }
    deadlineMs = cutsAfterwards ? HEALTHY_MS : LEFTOVER_MS
    const first = await app.call('GET', `${path}messages?in=INBOX`)
    deadlineMs = HEALTHY_MS
    if (first.status === 200) return
    assert.ok(!cutsAfterwards, `a fresh connection: ${first.status} ${first.text}`)
    await ok(app.call('GET', `${path}messages?in=INBOX`))
  }
  return {
    area: {
      name: 'IMAP',
      property: () =>
        fc.asyncProperty(
          plan,
          fc.shuffledSubarray(Object.keys(REQUESTS), { minLength: 1, maxLength: 3 }),
          fc.boolean(),
          tried,
        ),
    },
    async stop() {
      await app.stop()
      await server.close()
    },
  }
}

/** A server that misbehaves as it is told, and else not. */
function misbehaving() {
  let current: Plan | undefined
  let counts = new Map<string, number>()
  const connections = new Set<ImapCall['connection']>()
  const script: ImapScript = {
    folders: FOLDERS,
    capabilities: 'IMAP4rev1 UIDPLUS MOVE ENABLE ID UNSELECT NAMESPACE',
    greeting: () => current?.greeting ?? '* OK ready',
    onEach(call) {
      connections.add(call.connection)
      if (!current || call.name === 'LOGOUT') return call.usual()
      const nth = (counts.get(call.name) ?? 0) + 1
      counts.set(call.name, nth)
      const mutations = current.misdeeds
        .filter((each) => [call.name, 'any'].includes(each.command) && [nth, 'all'].includes(each.nth))
        .map(({ mutation }) => mutation)
      const answer =
        call.name === 'CAPABILITY'
          ? `* CAPABILITY ${current.capabilities}\r\n${call.tag} OK done\r\n`
          : call.answer()
      const { text, outcome, drips } = mutate(answer, mutations)
      const { socket } = call.connection
      const bytes = Buffer.from(text, 'latin1')
      if (drips) for (const byte of bytes.subarray(0, 3_000)) call.write(Buffer.of(byte))
      call.write(drips ? bytes.subarray(3_000) : bytes)
      if (outcome === 'end') socket.end()
      if (outcome === 'reset') socket.resetAndDestroy()
    },
  }
  return {
    script,
    misbehave(plan: Plan) {
      current = plan
      counts = new Map()
    },
    behave() {
      current = undefined
    },
    cutAll() {
      for (const connection of connections) connection.cut()
      connections.clear()
    },
  }
}

/** The mail port under a deadline of the test's: the request's own is 80 s. */
function withinDeadline(mail: Mail, deadlineMs: () => number): Mail {
  const port = (methods: object) =>
    Object.fromEntries(
      Object.entries(methods).map(([name, method]: [string, unknown]) => [
        name,
        typeof method === 'function'
          ? (session: GrantSession, ...rest: unknown[]) =>
              method({ ...session, signal: withDeadline(session.signal, deadlineMs()) }, ...rest)
          : method,
      ]),
    )
  const wrapped = Object.entries(mail).map(([name, part]: [string, unknown]) => [
    name,
    name !== 'facts' && typeof part === 'object' && part !== null ? port(part) : part,
  ])
  return Object.fromEntries(wrapped) as Mail
}

async function ok(answer: Promise<ApiAnswer>): Promise<ApiAnswer> {
  const { status, text } = await answer
  assert.ok(status === 200 || status === 201, `${status} ${text}`)
  return await answer
}

/** Asks, and judges the answer. A download may break off. */
async function ask(
  app: GrantwayApp,
  path: string,
  [method, rest, body]: readonly [method: string, path: string, body?: object],
): Promise<void> {
  const response = await fetch(app.url + path + rest, {
    method,
    headers: { authorization: `Bearer ${app.key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const isDownload = rest.includes('/download')
  const text = await response.text().catch((error: unknown) => {
    assert.ok(isDownload && response.status === 200, `${rest}: ${String(error)}`)
    return ''
  })
  const isDocumented = response.status < 500 || [502, 503, 504].includes(response.status)
  assert.ok(isDocumented, `${method} ${rest}: ${response.status} ${text}`)
  assert.ok(!text.includes('planted-password'))
  if (!isDownload || response.status !== 200) assert.equal(typeof JSON.parse(text).request_id, 'string', text)
}
