import { createServer, type AddressInfo, type Socket } from 'node:net'

/** A mail server on loopback that takes everything, without TLS, and keeps it. */
export interface SmtpSink {
  readonly port: number
  /** Whole messages, headers first. */
  readonly messages: readonly string[]
  /** Refuses every sender while true. */
  refuses: boolean
  /** How often it did. */
  readonly refusals: number
  stop(): Promise<void>
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const messages: string[] = []
  let refusals = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    serve(socket)
  })
  function serve(socket: Socket): void {
    let buffer = ''
    let inData = false
    socket.write('220 sink\r\n')
    socket.on('data', (chunk) => {
      buffer += chunk.toString('utf8')
      for (;;) {
        const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n')
        if (end < 0) return
        const part = buffer.slice(0, end)
        buffer = buffer.slice(end + (inData ? 5 : 2))
        if (inData) messages.push(part)
        socket.write(inData ? '250 kept\r\n' : replyTo(part))
        inData = !inData && /^DATA$/i.test(part)
      }
    })
  }
  const replyTo = (command: string): string => {
    if (/^MAIL/i.test(command) && sink.refuses) {
      refusals += 1
      return '550 not now\r\n'
    }
    if (/^STARTTLS/i.test(command)) return '502 not here\r\n'
    if (/^DATA/i.test(command)) return '354 go on\r\n'
    return /^QUIT/i.test(command) ? '221 bye\r\n' : '250 ok\r\n'
  }
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const sink: SmtpSink = {
    port: (server.address() as AddressInfo).port,
    messages,
    refuses: false,
    get refusals() {
      return refusals
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return sink
}
