import { Type } from 'typebox'
import { appError } from '../../contract/errors.ts'
import type {
  Account,
  GrantMaterial,
  GrantSecret,
  Identity,
  MailServerLogin,
} from '../../core/ports/identity.ts'
import type { ImapIndexStore } from '../../core/ports/mail-stores-imap-index.ts'
import type { ProviderModule } from '../../core/ports/provider.ts'
import { isEmailAddress } from '../../formats/addresses.ts'
import { withDeadline } from '../../kit/deadline.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import type { NoteSignIn } from '../../kit/outbound/sign-in.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { Secret } from '../../kit/secret.ts'
import { adviseOnLoginRefusal } from '../../protocols/imap/errors.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { openImapSession } from '../../protocols/imap/open-session.ts'
import { verifySmtp } from '../../protocols/smtp/verify-smtp.ts'
import { createImapMail } from '../../standards/imap-mail/create-imap-mail.ts'
import { mailboxAccount } from '../../standards/imap-mail/mailbox-account.ts'
import { mailboxSmtpAccount } from '../../standards/imap-mail/smtp-account.ts'
import { icloudForm } from './credential-form.ts'

/** Set by the operator, so trusted as they are. */
export interface IcloudEndpoints {
  readonly imap: { readonly host: string; readonly port: number }
  readonly smtp: { readonly host: string; readonly port: number }
}

/** What the icloud provider needs from outside. */
export interface IcloudDeps {
  readonly endpoints: IcloudEndpoints
  readonly allowPlaintext: boolean
  /** PEM of a further CA; absent in production. */
  readonly ca?: string
  /** Told of every login at the mail servers. */
  readonly onSignIn?: NoteSignIn
  /** Keeps what is known of mailboxes; without it each process learns it anew. */
  readonly indexStore?: ImapIndexStore
}

const IDENTIFY_TIMEOUT_MS = 40_000

/**
 * 20 MB (support.apple.com/102198, checked 2026-11). Whether base64 counts is not told, so it does not; the SIZE that
 * the SMTP server announces is checked besides.
 */
const MAX_MESSAGE_BYTES = Math.ceil((20 * 1024 * 1024 * 78) / 57)

/** Makes the provider for iCloud Mail with an app-specific password. `close()` ends its connections. */
export function createIcloud(deps: IcloudDeps): ProviderModule & { close(): Promise<void> } {
  const connecting: ImapConnecting = {
    allowPlaintext: deps.allowPlaintext,
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    ...(deps.onSignIn === undefined ? {} : { onSignIn: deps.onSignIn }),
  }
  const mail = createImapMail({
    accountOf: (session) => mailboxAccount(session, connecting),
    smtpAccountOf: (session) => mailboxSmtpAccount(session, connecting),
    facts: { maxMessageBytes: MAX_MESSAGE_BYTES, schedulesDrafts: false, takesLargeUploads: false },
    ...(deps.indexStore === undefined ? {} : { indexStore: deps.indexStore }),
  })
  return {
    id: 'icloud',
    displayName: 'iCloud',
    // A password is no token: nothing rotates.
    facts: { rotatesStrictly: false, supersededTokenStaysValid: false },
    connector: {
      settings: Type.Object({}),
      publicSettings: [],
      isOAuthClient: false,
      takesScope: false,
      credentials: {},
    },
    credentialForm: icloudForm,
    identity: createIdentity(deps.endpoints, connecting),
    advise,
    mail,
    close: () => mail.close(),
  }
}

function createIdentity(endpoints: IcloudEndpoints, connecting: ImapConnecting): Identity {
  return {
    readSettings: (settings) => readSettings(settings, endpoints),
    unverified({ secret }) {
      if (secret.kind !== 'mailbox' || !secret.smtp) {
        throw appError('api.invalid_request_error', 'settings.username is required')
      }
      return accountOf(secret.smtp.username)
    },
    async identify(call) {
      const { secret } = call
      if (secret.kind !== 'mailbox' || !secret.smtp) {
        throw new ProviderError('invalid-request', 'An icloud grant needs a user name and password.')
      }
      const signal = withDeadline(call.signal, IDENTIFY_TIMEOUT_MS)
      const smtp = verifySmtp(secret.smtp, connecting, signal)
      // Both at once; when both fail the mailbox's reason is the one to tell.
      smtp.catch(() => {})
      const imap = await signIn(secret.imap, connecting, signal)
      await smtp
      return {
        ...accountOf(secret.smtp.username),
        secret: { kind: 'mailbox', imap, smtp: secret.smtp },
      }
    },
  }
}

/** Apple drops every app-specific password when the Apple Account's password changes (support.apple.com/102654, checked 2026-11). */
function advise(reason: string): string | undefined {
  return reason === 'login_refused'
    ? 'Make a new app-specific password at account.apple.com (Sign-In and Security) and post it; the password of the Apple Account itself does not work. Changing that one ends all app-specific passwords.'
    : adviseOnLoginRefusal(reason)
}

function accountOf(email: string): Account {
  return { email, identityKey: email.toLowerCase(), publicSettings: { username: email } }
}

/**
 * Apple: "the username is usually the name of your email address", that is without the domain; "if that doesn't
 * work, try the full address" (support page "iCloud Mail server settings", checked 2026-11).
 */
async function signIn(
  login: MailServerLogin,
  connecting: ImapConnecting,
  signal: AbortSignal,
): Promise<MailServerLogin> {
  const short = { ...login, username: login.username.slice(0, login.username.lastIndexOf('@')) }
  try {
    await signInOnce(short, connecting, signal)
    return short
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'grant-revoked') throw error
    await signInOnce(login, connecting, signal)
    return login
  }
}

async function signInOnce(
  login: MailServerLogin,
  connecting: ImapConnecting,
  signal: AbortSignal,
): Promise<void> {
  const session = await openImapSession({ ...login, auth: { password: login.password } }, connecting, signal)
  session.close()
}

function readSettings(settings: JsonObject, endpoints: IcloudEndpoints): GrantMaterial {
  const username = stringField(settings, 'username')?.trim() ?? ''
  const password = stringField(settings, 'password') ?? ''
  if (username === '') throw appError('api.invalid_request_error', 'settings.username is required')
  if (password.trim() === '') throw appError('api.invalid_request_error', 'settings.password is required')
  if (!isEmailAddress(username)) {
    throw appError('api.invalid_request_error', 'settings.username must be the iCloud email address')
  }
  const login = { username, password: new Secret(password.trim()) }
  const secret: GrantSecret = {
    kind: 'mailbox',
    imap: { ...endpoints.imap, tls: endpoints.imap.port === 993 ? 'implicit' : 'starttls', ...login },
    smtp: { ...endpoints.smtp, tls: endpoints.smtp.port === 465 ? 'implicit' : 'starttls', ...login },
  }
  return { secret, publicSettings: { username } }
}
