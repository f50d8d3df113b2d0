import { createServer, type Server, type Socket } from 'node:net'
import { type SecureContext, createSecureContext, TLSSocket } from 'node:tls'
import { type ScriptFolder, ScriptMailbox } from './imap-script-mailbox.ts'

/** A command as the client sent it; literals stand in `args` as quoted strings. */
export interface ImapCall {
  readonly tag: string
  /** upper case, with its UID: `UID FETCH` */
  readonly name: string
  readonly args: string
  /** of this name, on all connections, this one included */
  readonly count: number
  readonly connection: ImapConnection
  /** Writes bytes as they are. */
  readonly write: (text: string | Uint8Array) => void
  /** Ends the command: `OK done` under its tag. */
  reply(text: string): void
  /** What the server would have done. */
  usual(): void
  /** Carries the command out and gives what the server would have written, instead of writing it. */
  answer(): string
}

export interface ImapConnection {
  readonly socket: Socket
  /** cuts the connection, in the middle of whatever it is */
  cut(): void
}

/** How the server differs from a well-behaved one. */
export interface ImapScript {
  readonly greeting?: string | (() => string)
  /** default: IMAP4rev1 and nothing else */
  readonly capabilities?: string
  readonly folders?: readonly ScriptFolder[]
  readonly separator?: string | null
  readonly prefix?: string
  /** attributes of LIST by path: `\\Trash` */
  readonly attributes?: { readonly [path: string]: string }
  /** Replaces commands by name; `usual()` of the call does what the server does otherwise. */
  readonly on?: { readonly [name: string]: (call: ImapCall) => void }
  /** Replaces every command that `on` does not. */
  readonly onEach?: (call: ImapCall) => void
  /** Called instead of the greeting: the nth connection, from 1. */
  readonly onConnect?: (connection: ImapConnection, nth: number) => boolean
  /** For STARTTLS: PEM of key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface ImapScriptServer {
  readonly port: number
  readonly mailbox: ScriptMailbox
  /** every command that came, `NAME args` */
  readonly log: readonly string[]
  /** connections that are open, and how many there ever were */
  connections(): { readonly open: number; readonly ever: number }
  close(): Promise<void>
}

/** Starts an IMAP server on loopback that does as the script says, over real bytes. */
export async function startImapScript(script: ImapScript): Promise<ImapScriptServer> {
  const mailbox = new ScriptMailbox(script)
  const log: string[] = []
  const counts = new Map<string, number>()
  const sockets = new Set<Socket>()
  let ever = 0
  const context = script.tls && createSecureContext(script.tls)
  const server = createServer((socket) => {
    ever += 1
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    const connection = { socket, cut: () => socket.destroy() }
    if (script.onConnect?.(connection, ever)) return
    const { greeting = '* OK ready' } = script
    socket.write(Buffer.from(`${typeof greeting === 'string' ? greeting : greeting()}\r\n`, 'latin1'))
    serve(socket, { script, mailbox, log, counts, context })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: portOf(server),
    mailbox,
    log,
    connections: () => ({ open: sockets.size, ever }),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

interface Serving {
  readonly script: ImapScript
  readonly mailbox: ScriptMailbox
  readonly log: string[]
  readonly counts: Map<string, number>
  readonly context: SecureContext | undefined
}

function serve(plain: Socket, serving: Serving): void {
  let socket = plain
  let buffered = ''
  let command = ''
  const session = serving.mailbox.session()
  const run = (line: string) => {
    const [, tag = '*', name = '', args = ''] = /^(\S+) ((?:UID )?\S+) ?(.*)$/is.exec(line) ?? []
    const upper = name.toUpperCase()
    serving.log.push(`${upper} ${upper === 'LOGIN' ? '' : args}`.trim())
    const count = (serving.counts.get(upper) ?? 0) + 1
    serving.counts.set(upper, count)
    const write = (text: string | Uint8Array) => void (socket.destroyed || socket.write(text))
    const reply = (text: string) => write(`${tag} ${text}\r\n`)
    const answer = () => {
      const answers = session.answer(upper, args)
      return `${answers.join('')}${tag} ${session.verdict}\r\n`
    }
    const usual = () => {
      if (upper === 'STARTTLS' && serving.context) return startTls(tag)
      write(answer())
      if (upper === 'LOGOUT') socket.end()
    }
    const call = {
      tag,
      name: upper,
      args,
      count,
      write,
      reply,
      usual,
      answer,
      connection: { socket, cut: () => socket.destroy() },
    }
    const replaced = serving.script.on?.[upper] ?? serving.script.onEach
    if (replaced) replaced(call)
    else usual()
  }
  const onData = (bytes: Buffer) => {
    buffered += bytes.toString('latin1')
    for (let end = buffered.indexOf('\r\n'); end !== -1; end = buffered.indexOf('\r\n')) {
      const line = buffered.slice(0, end)
      const literal = /\{(\d+)(\+?)\}$/.exec(line)
      if (!literal) {
        buffered = buffered.slice(end + 2)
        const whole = command + line
        command = ''
        run(Buffer.from(whole, 'latin1').toString('utf8'))
        continue
      }
      const size = Number(literal[1])
      if (buffered.length < end + 2 + size) {
        if (literal[2] === '' && buffered.length === end + 2) socket.write('+ go on\r\n')
        return
      }
      command += `${line.slice(0, literal.index)}"${buffered.slice(end + 2, end + 2 + size)}"`
      buffered = buffered.slice(end + 2 + size)
    }
  }
  const startTls = (tag: string) => {
    socket.off('data', onData)
    socket.write(`${tag} OK begin TLS\r\n`)
    const secured = new TLSSocket(plain, {
      isServer: true,
      ...(serving.context ? { secureContext: serving.context } : {}),
    })
    secured.on('error', () => plain.destroy())
    secured.on('data', onData)
    socket = secured
  }
  socket.on('data', onData)
}

function portOf(server: Server): number {
  const address = server.address()
  if (typeof address === 'object' && address) return address.port
  throw new Error('the server does not listen')
}
