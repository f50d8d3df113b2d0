import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { MessageQuery } from '../../src/core/ports/mail.ts'
import { Secret } from '../../src/kit/secret.ts'
import { openImapSession } from '../../src/protocols/imap/open-session.ts'
import { createImapMail, type ImapMail } from '../../src/standards/imap-mail/create-imap-mail.ts'
import { type ImapScript, type ImapScriptServer, startImapScript } from '../support/imap-script-server.ts'
import { sessionOf } from './imap-world.ts'

export interface ScriptedWorld {
  readonly server: ImapScriptServer
  readonly mail: Required<
    Pick<ImapMail, 'messages' | 'messageChanges' | 'folders' | 'folderChanges' | 'attachments'>
  >
  readonly session: GrantSession
  /** a session whose deadline is that signal */
  readonly until: (signal: AbortSignal) => GrantSession
}

/** Runs a test against a server that does as the script says, in clear text on loopback. */
export async function withScript(
  script: ImapScript,
  work: (world: ScriptedWorld) => Promise<void>,
  allowPlaintext = true,
): Promise<void> {
  const server = await startImapScript(script)
  const login = {
    host: '127.0.0.1',
    port: server.port,
    tls: 'starttls',
    username: 'user',
    auth: { password: new Secret('planted-password') },
  } as const
  const imap = createImapMail({
    accountOf: () =>
      Promise.resolve({
        key: 'scripted',
        open: (signal) => openImapSession(login, { allowPlaintext }, signal),
      }),
  })
  const { messages, messageChanges, folders, folderChanges, attachments } = imap
  if (!messageChanges || !folderChanges || !attachments) throw new Error('a capability is missing')
  const until = (signal: AbortSignal) => sessionOf('user@x.example', { kind: 'none' }, signal)
  try {
    await work({
      server,
      mail: { messages, messageChanges, folders, folderChanges, attachments },
      session: until(AbortSignal.timeout(20_000)),
      until,
    })
  } finally {
    await imap.close()
    await server.close()
  }
}

export const listing: MessageQuery = { limit: 50, fields: 'standard', in: 'INBOX' }
export const allFolders = { limit: 200, includeHiddenFolders: false, singleLevel: false }

/** A message for the script, with a Message-ID of that name. */
export const mailOf = (
  name: string,
  more: { readonly body?: string; readonly flags?: string[]; readonly headers?: string } = {},
) => ({
  headers: `From: a@x.example\r\nMessage-ID: <${name}@x.example>\r\nSubject: ${name}${more.headers ? `\r\n${more.headers}` : ''}`,
  body: more.body ?? `text of ${name}`,
  ...(more.flags ? { flags: more.flags } : {}),
})
export const idOf = (name: string) => `<${name}@x.example>`
