import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** Mail servers that let everybody in who has the one password, in clear text, on a loopback address of their own. */
export interface FakeMailServers {
  readonly host: string
  readonly imapPort: number
  readonly smtpPort: number
  /** user names that were tried at IMAP, in their order */
  readonly logins: string[]
  stop(): Promise<void>
}

export async function startFakeMailServers(host: string, password: string): Promise<FakeMailServers> {
  const logins: string[] = []
  const imap = lineServer('* OK [CAPABILITY IMAP4rev1] ready', (line, say) => {
    const [tag = '', command = '', ...rest] = line.split(' ')
    switch (command.toUpperCase()) {
      case 'CAPABILITY':
        return say('* CAPABILITY IMAP4rev1', `${tag} OK done`)
      case 'LOGIN': {
        const [user = '', given] =
          rest
            .join(' ')
            .match(/"[^"]*"|\S+/g)
            ?.map(unquoted) ?? []
        logins.push(user)
        return given === password
          ? say(`${tag} OK [CAPABILITY IMAP4rev1] in`)
          : say(`${tag} NO [AUTHENTICATIONFAILED] no`)
      }
      case 'LIST':
        return say('* LIST () "/" INBOX', `${tag} OK done`)
      default:
        return say(`${tag} OK done`)
    }
  })
  const smtp = lineServer('220 ready', (line, say) => {
    const [command = '', ...rest] = line.split(' ')
    switch (command.toUpperCase()) {
      case 'EHLO':
        return say('250-here', '250 AUTH PLAIN')
      case 'AUTH': {
        const [, , given] = Buffer.from(rest[1] ?? '', 'base64')
          .toString('utf8')
          .split('\0')
        return given === password ? say('235 in') : say('535 5.7.8 no')
      }
      default:
        return say('250 fine')
    }
  })
  const imapPort = await listen(imap.server, host)
  const smtpPort = await listen(smtp.server, host)
  return {
    host,
    imapPort,
    smtpPort,
    logins,
    async stop() {
      await Promise.all([imap.stop(), smtp.stop()])
    },
  }
}

function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/, '$1')
}

function lineServer(greeting: string, answer: (line: string, say: (...lines: string[]) => void) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let rest = ''
    const say = (...lines: string[]) => void socket.write(lines.map((line) => `${line}\r\n`).join(''))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) answer(line, say)
    })
    say(greeting)
  })
  return {
    server,
    stop: () =>
      new Promise<void>((done) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => done())
      }),
  }
}

async function listen(server: Server, host: string): Promise<number> {
  await new Promise<void>((done) => server.listen(0, host, done))
  return (server.address() as AddressInfo).port
}
