import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { ComposeOptions } from '../../src/app/compose.ts'

// Grants of virtual calendars need nobody outside. Here they can send mail, to a server that counts it.

type Wrap = NonNullable<ComposeOptions['wrapProviders']>

/** Lets virtual calendars send, by telling the subject to that address. */
export function withRemoteMailbox(providers: Parameters<Wrap>[0], url: string): ReturnType<Wrap> {
  const calendar = providers.get('virtual-calendar')
  if (!calendar) throw new Error('no provider for tests')
  const unused = () => Promise.reject(new Error('not used here'))
  const mail: Mail = {
    messages: { list: unused, find: unused },
    folders: { list: unused, find: unused },
    send: {
      async send(session, message) {
        const files: Buffer[] = []
        for (const file of message.attachments) {
          for await (const chunk of file.open()) files.push(Buffer.from(chunk))
        }
        const body = JSON.stringify({ subject: message.subject, fileBytes: Buffer.concat(files).length })
        const response = await fetch(url, { method: 'POST', body, signal: session.signal })
        return { id: await response.text(), threadId: 't', folders: ['SENT'], date: message.date }
      },
      sendRaw: unused,
    },
  }
  return new Map([...providers, ['virtual-calendar' as const, { ...calendar, mail }]])
}

/** What a remote mailbox was told to send. */
export interface RemoteMailbox {
  readonly url: string
  readonly sent: readonly { readonly subject: string; readonly fileBytes: number }[]
  stop(): Promise<void>
}

export async function startRemoteMailbox(): Promise<RemoteMailbox> {
  const sent: { subject: string; fileBytes: number }[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      sent.push(JSON.parse(text) as (typeof sent)[number])
      response.end(`m${sent.length}`)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
