import { appError } from '../../contract/errors.ts'
import type {
  Account,
  GrantMaterial,
  GrantSecret,
  Identity,
  IdentifyCall,
  MailServerLogin,
} from '../../core/ports/identity.ts'
import { withDeadline } from '../../kit/deadline.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { openImapSession } from '../../protocols/imap/open-session.ts'
import { verifySmtp } from '../../protocols/smtp/verify-smtp.ts'
import type { Autoconfig, DetectedServer } from './autoconfig.ts'
import { KNOWN_SERVICES } from './endpoints.ts'
import { readImapSettings, UNKNOWN_HOST } from './settings.ts'

/** IMAP and SMTP together, autoconfiguration included. */
const IDENTIFY_TIMEOUT_MS = 40_000

type MailboxSecret = Extract<GrantSecret, { kind: 'mailbox' }>

/** Makes the identity port: the login itself tells who it is. */
export function createImapIdentity(deps: {
  readonly connecting: ImapConnecting
  readonly autoconfig: Autoconfig
}): Identity {
  const { connecting } = deps
  return {
    readSettings: readImapSettings,
    unverified: (material) => unverifiedAccount(material),
    async identify(call) {
      const asked = mailboxOf(call)
      const email = stringField(call.publicSettings, 'email') ?? asked.imap.username
      const signal = withDeadline(call.signal, IDENTIFY_TIMEOUT_MS)
      const detect = once(() => detectServers(deps.autoconfig, call, email, signal))
      const smtp = signInSmtp(asked, connecting, detect, signal)
      // Both at once; when both fail the mailbox's reason is the one to tell.
      smtp.catch(() => {})
      const imap = await signInImap(asked.imap, connecting, detect, signal)
      return accountOf(call, email, { ...asked, imap, smtp: await smtp })
    },
  }
}

function mailboxOf(call: IdentifyCall): MailboxSecret {
  if (call.secret.kind === 'mailbox') return call.secret
  throw new ProviderError('invalid-request', 'An imap grant needs a mailbox login.')
}

async function signInImap(
  asked: MailServerLogin,
  connecting: ImapConnecting,
  detect: () => ReturnType<Autoconfig>,
  signal: AbortSignal,
): Promise<MailServerLogin> {
  const login = asked.host === UNKNOWN_HOST ? at(asked, (await detect())?.imap, 'imap_host') : asked
  const auth = { password: login.password }
  const session = await openImapSession({ ...login, auth }, connecting, signal)
  // Signed in: that was the question. Nobody waits for the goodbye.
  session.close()
  return login
}

/**
 * A given SMTP login must work. One that was only found is taken when it works; without it the grant can't send
 * (contract/auth.md 2.4).
 */
async function signInSmtp(
  asked: MailboxSecret,
  connecting: ImapConnecting,
  detect: () => ReturnType<Autoconfig>,
  signal: AbortSignal,
): Promise<MailServerLogin | null> {
  if (asked.smtp) {
    const login =
      asked.smtp.host === UNKNOWN_HOST ? at(asked.smtp, (await detect())?.smtp, 'smtp_host') : asked.smtp
    await verifySmtp(login, connecting, signal)
    return login
  }
  try {
    const found = (await detect())?.smtp
    if (!found) return null
    const login = movedTo(asked.imap, found)
    await verifySmtp(login, connecting, signal)
    return login
  } catch (error) {
    if (error instanceof ProviderError) return null
    throw error
  }
}

function at(login: MailServerLogin, server: DetectedServer | undefined, field: string): MailServerLogin {
  if (server) return movedTo(login, server)
  throw new ProviderError(
    'invalid-request',
    `settings.${field} is required: the server of this address could not be found out`,
  )
}

/** The login at a server that was found; a user name that is no address was meant as it stands. */
function movedTo(login: MailServerLogin, { username, ...where }: DetectedServer): MailServerLogin {
  const isAddress = login.username.includes('@')
  return { ...login, ...where, ...(username !== undefined && isAddress ? { username } : {}) }
}

/** The service that `settings.type` names, else what the address's domain says. */
async function detectServers(
  autoconfig: Autoconfig,
  call: IdentifyCall,
  email: string,
  signal: AbortSignal,
): ReturnType<Autoconfig> {
  const type = stringField(call.publicSettings, 'type')?.toLowerCase() ?? ''
  return KNOWN_SERVICES[type] ?? autoconfig(email, signal)
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => (running ??= work())
}

/** The servers that are given, or those of the service that `settings.type` names: nobody is asked. */
function unverifiedAccount({ secret, publicSettings }: GrantMaterial): Account {
  if (secret.kind !== 'mailbox') throw notFoundOut('imap_host')
  const known = KNOWN_SERVICES[stringField(publicSettings, 'type')?.toLowerCase() ?? '']
  const complete = (login: MailServerLogin, server: DetectedServer | undefined, field: string) => {
    if (login.host !== UNKNOWN_HOST) return login
    if (!server) throw notFoundOut(field)
    return movedTo(login, server)
  }
  const imap = complete(secret.imap, known?.imap, 'imap_host')
  const smtp = secret.smtp
    ? complete(secret.smtp, known?.smtp, 'smtp_host')
    : known && { ...secret.imap, ...known.smtp }
  const email = stringField(publicSettings, 'email') ?? secret.imap.username
  return accountOf({ publicSettings }, email, { ...secret, imap, smtp: smtp ?? null })
}

function notFoundOut(field: string) {
  return appError(
    'api.invalid_request_error',
    `settings.${field} is required: without a login it can not be found out`,
  )
}

function accountOf(
  call: Pick<IdentifyCall, 'publicSettings'>,
  email: string,
  secret: MailboxSecret,
): Account {
  const { imap, smtp } = secret
  const { email: _asked, ...kept } = call.publicSettings
  return {
    email,
    identityKey: `${imap.username.toLowerCase()}@${imap.host}`,
    publicSettings: {
      ...kept,
      imap_username: imap.username,
      imap_host: imap.host,
      imap_port: imap.port,
      ...(smtp ? { smtp_username: smtp.username, smtp_host: smtp.host, smtp_port: smtp.port } : {}),
    },
    secret,
  }
}
