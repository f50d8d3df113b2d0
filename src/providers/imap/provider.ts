import { Type } from 'typebox'
import type { ImapIndexStore } from '../../core/ports/mail-stores-imap-index.ts'
import type { ProviderModule } from '../../core/ports/provider.ts'
import type { EgressGuard } from '../../kit/outbound/egress-guard.ts'
import type { NoteSignIn } from '../../kit/outbound/sign-in.ts'
import { adviseOnLoginRefusal } from '../../protocols/imap/errors.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { createImapMail } from '../../standards/imap-mail/create-imap-mail.ts'
import { mailboxAccount } from '../../standards/imap-mail/mailbox-account.ts'
import { mailboxSmtpAccount } from '../../standards/imap-mail/smtp-account.ts'
import type { Autoconfig } from './autoconfig.ts'
import { imapForm } from './credential-form.ts'
import { createImapIdentity } from './identity.ts'

/** What the imap provider needs from outside. */
export interface ImapDeps {
  /** Checks the user-supplied hosts. */
  readonly guard: EgressGuard
  readonly autoconfig: Autoconfig
  /** GRANTWAY_ALLOW_PLAINTEXT_MAIL */
  readonly allowPlaintext: boolean
  /** PEM of a further CA; absent in production, where Node reads NODE_EXTRA_CA_CERTS itself. */
  readonly ca?: string
  /** Told of every login at the mail servers. */
  readonly onSignIn?: NoteSignIn
  /** Keeps what is known of mailboxes; without it each process learns it anew. */
  readonly indexStore?: ImapIndexStore
}

/**
 * What hardly any mail server takes. A server's own limit stands in its greeting (SIZE, RFC 1870), and each message is
 * checked against that before it is sent.
 */
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024

/** Makes the provider for any IMAP and SMTP server. `close()` ends its connections. */
export function createImap(deps: ImapDeps): ProviderModule & { close(): Promise<void> } {
  const connecting: ImapConnecting = {
    guard: deps.guard,
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
    id: 'imap',
    displayName: 'IMAP',
    // A password is no token: nothing rotates.
    facts: { rotatesStrictly: false, supersededTokenStaysValid: false },
    connector: {
      settings: Type.Object({}),
      publicSettings: [],
      isOAuthClient: false,
      takesScope: false,
      credentials: {},
    },
    credentialForm: imapForm,
    identity: createImapIdentity({ connecting, autoconfig: deps.autoconfig }),
    advise: adviseOnLoginRefusal,
    mail,
    close: () => mail.close(),
  }
}
