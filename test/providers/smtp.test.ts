import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { dataFailure } from '../../src/core/provider-failure.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import type { SmtpConnecting, SmtpLogin } from '../../src/protocols/smtp/open-smtp.ts'
import { type SmtpMessage, submitMessage } from '../../src/protocols/smtp/submit-message.ts'
import { startFakeSmtp } from '../support/fake-smtp.ts'

type Fake = Awaited<ReturnType<typeof startFakeSmtp>>
const PASSWORD = { password: new Secret('secret-password') }
const SOURCE = 'Subject: x\r\n\r\n.\r\n..dots\r\nend'

async function fake(context: TestContext, options: Parameters<typeof startFakeSmtp>[0] = {}): Promise<Fake> {
  const server = await startFakeSmtp(options)
  context.after(() => server.stop())
  return server
}

function send(
  port: number,
  more: {
    readonly message?: Partial<SmtpMessage>
    readonly auth?: SmtpLogin['auth']
    readonly connecting?: Partial<SmtpConnecting>
    readonly signal?: AbortSignal
    readonly tls?: SmtpLogin['tls']
  } = {},
) {
  const message: SmtpMessage = {
    from: 'a@x.example',
    to: ['b@x.example', 'c@x.example'],
    sizeBytes: SOURCE.length,
    is8Bit: false,
    open: () => Promise.resolve(Readable.from([Buffer.from(SOURCE)])),
    ...more.message,
  }
  const login = {
    host: '127.0.0.1',
    port,
    tls: more.tls ?? 'starttls',
    username: 'a@x.example',
    auth: more.auth ?? PASSWORD,
  } as const
  return submitMessage(
    login,
    { allowPlaintext: true, ...more.connecting },
    message,
    more.signal ?? new AbortController().signal,
  )
}

async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ProviderError, String(error))
  assert.equal(/secret-password/.test(JSON.stringify([error.message, error.details])), false)
  return error
}

const to = (pattern: RegExp, answer: string) => (command: string) =>
  command === '' ? '220 fake' : pattern.test(command) ? answer : null

test('submits a message once to every recipient, dots doubled', async (t) => {
  const server = await fake(t)
  await send(server.port)
  assert.deepEqual(server.messages, ['Subject: x\r\n\r\n..\r\n...dots\r\nend'])
  assert.deepEqual(
    server.commands.filter((command) => /^(MAIL|RCPT)/.test(command)),
    [`MAIL FROM:<a@x.example> SIZE=${SOURCE.length}`, 'RCPT TO:<b@x.example>', 'RCPT TO:<c@x.example>'],
  )
})

for (const [name, extensions] of [
  ['with pipelining', ['PIPELINING', 'AUTH PLAIN']],
  ['without pipelining', ['AUTH PLAIN']],
] as const) {
  test(`sends nothing when one of several recipients is refused, and names it (${name})`, async (t) => {
    const server = await fake(t, { extensions, reply: to(/^RCPT TO:<c@/, '550 5.1.1 unknown user') })
    const error = await failureOf(send(server.port))
    assert.equal(error.kind, 'rejected')
    assert.match(error.message, /c@x\.example/)
    assert.doesNotMatch(error.message, /b@x\.example/)
    assert.deepEqual(error.details.providerBody?.['recipients'], [
      { email: 'c@x.example', code: 550, message: '550 5.1.1 unknown user' },
    ])
    assert.equal(dataFailure(error).status, 402)
    assert.deepEqual(server.messages, [])
  })
}

test('a recipient that is refused for good outweighs one that is deferred', async (t) => {
  const server = await fake(t, {
    reply: (command) =>
      command === ''
        ? '220 fake'
        : command.startsWith('RCPT TO:<b@')
          ? '450 later'
          : command.startsWith('RCPT')
            ? '550 never'
            : null,
  })
  const error = await failureOf(send(server.port))
  assert.equal(error.kind, 'rejected')
  assert.equal(server.messages.filter((text) => text !== '').length, 0)
})

for (const [stage, pattern, answer, kind, status] of [
  ['sender', /^MAIL/, '553 5.7.1 <b@x>: Sender address rejected: not owned by user a', 'send-as-denied', 403],
  [
    'recipient',
    /^RCPT/,
    '553 5.7.1 <b@x>: Sender address rejected: not owned by user a',
    'send-as-denied',
    403,
  ],
  [
    'sender',
    /^MAIL/,
    '550 5.7.60 SMTP; Client does not have permissions to send as this sender',
    'send-as-denied',
    403,
  ],
  ['sender', /^MAIL/, '552 5.3.4 Message size exceeds fixed limit', 'too-large', 413],
  ['sender', /^MAIL/, '421 4.7.0 too much', 'rate-limited', 429],
  ['recipient', /^RCPT/, '552 5.2.2 mailbox full', 'rejected', 402],
  ['recipient', /^RCPT/, '452 4.5.3 too many recipients', 'rate-limited', 429],
  ['message', /^DATA/, '451 4.3.0 try later', 'rate-limited', 429],
  ['sender', /^MAIL/, '550 5.4.5 Daily user sending limit exceeded', 'quota-exhausted', 429],
  ['message', /^DATA/, '554 5.7.1 spam', 'rejected', 402],
] as const) {
  test(`${answer} to the ${stage} is ${kind}`, async (t) => {
    const server = await fake(t, { reply: to(pattern, answer) })
    const error = await failureOf(send(server.port))
    assert.equal(error.kind, kind)
    assert.equal(dataFailure(error).status, status)
    assert.notEqual(error.details.answered, false)
    assert.equal(error.details.providerBody?.['code'], Number(answer.slice(0, 3)))
  })
}

test('tells how long to wait where the server says it', async (t) => {
  const server = await fake(t, { reply: to(/^RCPT/, '450 4.2.0 Greylisted, please try again in 5 minutes') })
  const error = await failureOf(send(server.port))
  assert.equal(error.kind, 'rate-limited')
  assert.equal(error.details.retryAfterSeconds, 300)
})

test('a message refused after its end was not sent', async (t) => {
  const server = await fake(t, { afterMessage: () => '554 5.6.0 no thanks' })
  const error = await failureOf(send(server.port))
  assert.equal(error.kind, 'rejected')
  assert.notEqual(error.details.answered, false)
})

test('a server that hangs up after the end may have taken the message', async (t) => {
  const server = await fake(t, { afterMessage: () => 'hang-up' })
  const error = await failureOf(send(server.port))
  assert.equal(error.kind, 'unavailable')
  assert.equal(error.details.answered, false)
  assert.equal(server.messages.length, 1)
})

test('waits for the last answer though the caller has given up', async (t) => {
  let answer = (_reply: string) => {}
  const reply = new Promise<string>((resolve) => {
    answer = resolve
  })
  const server = await fake(t, { afterMessage: () => reply })
  const caller = new AbortController()
  const sent = send(server.port, { signal: caller.signal })
  await server.waitForMessage()
  caller.abort()
  answer('250 queued')
  assert.deepEqual(await sent, {})
})

test('a caller who gives up before the end sends nothing', async (t) => {
  const caller = new AbortController()
  const server = await fake(t, {})
  async function* endless() {
    yield Buffer.from('Subject: x\r\n')
    caller.abort()
    await new Promise(() => {})
  }
  const error = await failureOf(
    send(server.port, {
      signal: caller.signal,
      message: { open: () => Promise.resolve(Readable.from(endless())) },
    }),
  )
  assert.equal(error.kind, 'timeout')
  assert.notEqual(error.details.answered, false)
  assert.deepEqual(server.messages, [])
})

test('a file that can not be read sends nothing', async (t) => {
  const server = await fake(t)
  async function* broken() {
    yield Buffer.from('Subject: x\r\n')
    throw new ProviderError('not-found', 'the file is gone')
  }
  const error = await failureOf(
    send(server.port, { message: { open: () => Promise.resolve(Readable.from(broken())) } }),
  )
  assert.equal(error.kind, 'not-found')
  assert.deepEqual(server.messages, [])
})

test('asks before sending whether the server takes that size, those addresses, those bytes', async (t) => {
  const server = await fake(t, { extensions: ['SIZE 1000', 'AUTH PLAIN'] })
  const attempts = [
    [{ sizeBytes: 1001 }, 'too-large'],
    [{ to: ['jürgen@x.example'] }, 'rejected'],
    [{ from: 'jürgen@x.example' }, 'rejected'],
    [{ is8Bit: true }, 'rejected'],
  ] as const
  for (const [message, kind] of attempts) {
    assert.equal((await failureOf(send(server.port, { message }))).kind, kind)
  }
  assert.deepEqual(
    server.commands.filter((command) => /^(MAIL|RCPT|DATA)/.test(command)),
    [],
  )
})

test('says SMTPUTF8 and 8BITMIME where they are needed, and writes domains in ASCII where they are not', async (t) => {
  const server = await fake(t)
  await send(server.port, { message: { to: ['info@müller.example'], is8Bit: true } })
  await send(server.port, { message: { to: ['jürgen@müller.example'] } })
  const said = server.commands.filter((command) => /^(MAIL|RCPT)/.test(command))
  assert.deepEqual(
    said.map((command) => Buffer.from(command, 'latin1').toString('utf8')),
    [
      `MAIL FROM:<a@x.example> BODY=8BITMIME SIZE=${SOURCE.length}`,
      'RCPT TO:<info@xn--mller-kva.example>',
      `MAIL FROM:<a@x.example> SMTPUTF8 SIZE=${SOURCE.length}`,
      'RCPT TO:<jürgen@müller.example>',
    ],
  )
})

test('refuses to sign in when STARTTLS is stripped', async (t) => {
  const server = await fake(t, { reply: to(/^STARTTLS/, '502 not here') })
  const error = await failureOf(send(server.port, { connecting: { allowPlaintext: false } }))
  assert.equal(error.kind, 'invalid-request')
  assert.equal(
    server.commands.some((command) => /^(AUTH|MAIL)/.test(command)),
    false,
  )
})

test('a refused password is a dead login', async (t) => {
  const server = await fake(t, { reply: to(/^AUTH PLAIN/, '535 5.7.8 bad credentials') })
  assert.equal((await failureOf(send(server.port))).kind, 'grant-revoked')
})

test('signs in by access token, and takes the challenge for the refusal it is', async (t) => {
  const token = { accessToken: new Secret('good-token') }
  const taken = await fake(t)
  await send(taken.port, { auth: token })
  const said = taken.commands.find((command) => command.startsWith('AUTH XOAUTH2 ')) ?? ''
  assert.equal(
    Buffer.from(said.slice('AUTH XOAUTH2 '.length), 'base64').toString(),
    'user=a@x.example\x01auth=Bearer good-token\x01\x01',
  )
  let challenged = false
  const refusing = await fake(t, {
    reply: (command) => {
      if (command.startsWith('AUTH')) {
        challenged = true
        return '334 eyJzdGF0dXMiOiI0MDEifQ=='
      }
      if (command === '') return challenged ? '535 5.7.8 bad token' : '220 fake'
      return null
    },
  })
  assert.equal((await failureOf(send(refusing.port, { auth: token }))).kind, 'grant-revoked')
})

test('a server that takes no connections is an error of its own', async (t) => {
  const server = await fake(t)
  await server.stop()
  const error = await failureOf(send(server.port))
  assert.equal(error.kind, 'unavailable')
  assert.equal(dataFailure(error).status, 503)
})

test('a server that refuses service instead of greeting takes no connections either', async (t) => {
  const refusing = await fake(t, {
    reply: (command) => (command === '' ? '554 5.7.1 no service here' : null),
  })
  const error = await failureOf(send(refusing.port))
  assert.equal(error.kind, 'unavailable')
  assert.equal(dataFailure(error).status, 503)
  assert.deepEqual(refusing.commands, [])
})

test('connects to no private address that a user names', async (t) => {
  const server = await fake(t)
  const guard = createEgressGuard({ allowedNetworks: [] })
  const error = await failureOf(send(server.port, { connecting: { guard } }))
  assert.equal(error.kind, 'invalid-request')
  assert.deepEqual(server.commands, [])
})
