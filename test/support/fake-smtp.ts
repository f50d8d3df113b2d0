import { type AddressInfo, createServer, type Socket } from 'node:net'

/** What a fake submission server says; `undefined` says nothing, `hang-up` closes the connection. */
export type SmtpReply = string | undefined

export interface FakeSmtp {
  readonly port: number
  /** commands, in order */
  readonly commands: readonly string[]
  /** messages that came whole, dots as they came */
  readonly messages: readonly string[]
  /** Fires with each message that came whole, before it is answered. */
  waitForMessage(): Promise<void>
  stop(): Promise<void>
}

/** A submission server on loopback, without TLS, whose answers a test decides. */
export async function startFakeSmtp(options: {
  readonly extensions?: readonly string[]
  /** The answer to a command; null: the usual one. */
  readonly reply?: (command: string) => SmtpReply | null
  readonly afterMessage?: () => SmtpReply | Promise<SmtpReply>
}): Promise<FakeSmtp> {
  const extensions = options.extensions ?? [
    'PIPELINING',
    'SIZE 30000000',
    'AUTH PLAIN XOAUTH2',
    '8BITMIME',
    'SMTPUTF8',
  ]
  const commands: string[] = []
  const messages: string[] = []
  const waiting: (() => void)[] = []
  const sockets = new Set<Socket>()
  const usual = (command: string): string => {
    if (/^EHLO/i.test(command))
      return ['fake', ...extensions]
        .map((line, at) => `250${at === extensions.length ? ' ' : '-'}${line}`)
        .join('\r\n')
    if (/^AUTH/i.test(command)) return '235 welcome'
    if (/^DATA/i.test(command)) return '354 go on'
    return /^QUIT/i.test(command) ? '221 bye' : '250 ok'
  }
  const say = (socket: Socket, reply: SmtpReply) => {
    if (reply === 'hang-up') socket.destroy()
    else if (reply !== undefined) socket.write(`${reply}\r\n`)
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    say(socket, options.reply?.('') ?? '220 fake')
    let text = ''
    let inData = false
    let recipients = 0
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (;;) {
        const mark = inData ? '\r\n.\r\n' : '\r\n'
        const end = text.indexOf(mark)
        if (end < 0) return
        const line = text.slice(0, end)
        text = text.slice(end + mark.length)
        if (inData) {
          inData = false
          messages.push(line)
          for (const wake of waiting.splice(0)) wake()
          void Promise.resolve(options.afterMessage ? options.afterMessage() : '250 queued').then((reply) =>
            say(socket, reply),
          )
          continue
        }
        commands.push(line)
        const own = options.reply?.(line)
        const answer = own === null || options.reply === undefined ? usual(line) : own
        if (/^RCPT/i.test(line) && answer?.startsWith('2')) recipients += 1
        const reply = answer?.startsWith('354') && recipients === 0 ? '503 no recipients' : answer
        inData = reply?.startsWith('354') === true
        say(socket, reply)
      }
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    messages,
    waitForMessage: () =>
      messages.length > 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
