import { Type } from 'typebox'
import type { ProviderModule } from '../../core/ports/provider.ts'
import type { EgressGuard } from '../../kit/outbound/egress-guard.ts'
import type { NoteSignIn } from '../../kit/outbound/sign-in.ts'
import { adviseOnLoginRefusal } from '../../protocols/imap/errors.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { createImapMail } from '../../standards/imap-mail/create-imap-mail.ts'
import { mailboxAccount } from '../../standards/imap-mail/mailbox-account.ts'
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
}

/** Makes the provider for any IMAP and SMTP server. `close()` ends its connections. */
export function createImap(deps: ImapDeps): ProviderModule & { close(): Promise<void> } {
  const connecting: ImapConnecting = {
    guard: deps.guard,
    allowPlaintext: deps.allowPlaintext,
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    ...(deps.onSignIn === undefined ? {} : { onSignIn: deps.onSignIn }),
  }
  const mail = createImapMail({ accountOf: (session) => mailboxAccount(session, connecting) })
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
