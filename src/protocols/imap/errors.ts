import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'

interface CodeMeaning {
  readonly kind: ProviderErrorKind
  readonly text: string
}

/** IMAP response codes and what they mean to us. Each line names its source. */
const RESPONSE_CODES: { readonly [code: string]: CodeMeaning } = {
  // RFC 5530 section 3: credentials are not valid.
  AUTHENTICATIONFAILED: { kind: 'grant-revoked', text: 'The mail server refused the user name or password.' },
  // RFC 5530 section 3: authenticated, but may not act as that user.
  AUTHORIZATIONFAILED: { kind: 'grant-revoked', text: 'The mail server does not let this user in.' },
  // RFC 5530 section 3: the passphrase or credential has expired.
  EXPIRED: { kind: 'grant-revoked', text: 'The password or token has expired.' },
  // RFC 5530 section 3: needs an administrator (a locked account, for example). The password may be right and
  // work again tomorrow, so the grant is not given up.
  CONTACTADMIN: { kind: 'access-refused', text: 'The mail server asks to contact its administrator.' },
  // RFC 5530 section 3: no permission (ACL) for that mailbox.
  NOPERM: { kind: 'access-refused', text: 'The account may not open this folder.' },
  // RFC 5530 section 3: needs encryption.
  PRIVACYREQUIRED: { kind: 'invalid-request', text: 'The mail server requires TLS.' },
  // Gmail: "Web login required" (reported by many clients; checked 2026-11). The user must sign in by browser.
  WEBALERT: { kind: 'access-refused', text: 'The provider wants the user to sign in with a browser first.' },
  // RFC 5530 section 3: temporary failure of a subsystem.
  UNAVAILABLE: { kind: 'unavailable', text: 'The mail server is not available at the moment.' },
  // RFC 5530 section 3: a resource is in use, try later.
  INUSE: { kind: 'unavailable', text: 'The mailbox is in use at the moment.' },
  // RFC 5530 section 3: a limit of the server's (connections, bandwidth).
  LIMIT: { kind: 'rate-limited', text: 'A limit of the mail server is reached.' },
  // Gmail and Exchange Online say so while throttling (imapflow 2.10 waits for it too).
  THROTTLED: { kind: 'rate-limited', text: 'The mail server is throttling.' },
  // RFC 5530 section 3: the mailbox is full. It is not a matter of waiting.
  OVERQUOTA: { kind: 'quota-exhausted', text: 'The mailbox is over its quota.' },
  // RFC 5530 section 3: no such mailbox.
  NONEXISTENT: { kind: 'not-found', text: 'The folder does not exist.' },
  // RFC 9051 section 7.1: no such mailbox, could be created.
  TRYCREATE: { kind: 'not-found', text: 'The folder does not exist.' },
  // RFC 5530 section 3.
  ALREADYEXISTS: { kind: 'conflict', text: 'A folder of that name exists already.' },
  // RFC 5530 section 3: the server can never do that.
  CANNOT: { kind: 'unsupported', text: 'The mail server can not do that.' },
  // RFC 5530 section 3: messages went away meanwhile.
  EXPUNGEISSUED: { kind: 'unavailable', text: 'Messages were removed meanwhile.' },
  // RFC 5530 section 3: the server's own fault.
  SERVERBUG: { kind: 'unavailable', text: 'The mail server had an internal error.' },
  // RFC 5530 section 3: the server's data are damaged.
  CORRUPTION: { kind: 'unavailable', text: 'The mailbox is damaged.' },
  // RFC 5530 section 3: we did something wrong.
  CLIENTBUG: { kind: 'invalid-request', text: 'The mail server refused the command.' },
  // RFC 9051 section 7.1: the search's character set is not known.
  BADCHARSET: { kind: 'unsupported', text: 'The mail server can not search for text of this kind.' },
}

/** imapflow's own codes (2.10) and Node's, where they are not plain connection failures. */
const CLIENT_CODES: { readonly [code: string]: CodeMeaning } = {
  CONNECT_TIMEOUT: { kind: 'timeout', text: 'The mail server could not be reached in time.' },
  GREETING_TIMEOUT: { kind: 'timeout', text: 'The mail server did not greet in time.' },
  UPGRADE_TIMEOUT: { kind: 'timeout', text: 'TLS with the mail server was not ready in time.' },
  ETIMEOUT: { kind: 'timeout', text: 'The mail server did not answer in time.' },
  ETIMEDOUT: { kind: 'timeout', text: 'The mail server did not answer in time.' },
  ETHROTTLE: { kind: 'rate-limited', text: 'The mail server is throttling.' },
  NotFound: { kind: 'not-found', text: 'The folder does not exist.' },
  STARTTLS_INJECTION: {
    kind: 'invalid-request',
    text: 'The mail server sent something before TLS was established.',
  },
  LineTooLarge: { kind: 'malformed-response', text: 'The mail server sent a line that is too long.' },
  LiteralTooLarge: { kind: 'malformed-response', text: 'The mail server sent a message that is too large.' },
  ResponseTooLarge: { kind: 'malformed-response', text: 'The mail server sent an answer that is too large.' },
  TooManyTokens: { kind: 'malformed-response', text: 'The mail server sent an answer that is too large.' },
  TooManyResponses: { kind: 'malformed-response', text: 'The mail server sent an answer that is too large.' },
  MissingServerExtension: {
    kind: 'unsupported',
    text: 'The mail server lacks a search key of this request.',
  },
  InvalidSearchQuery: { kind: 'invalid-request', text: 'The search is not valid.' },
  InvalidStringValue: { kind: 'invalid-request', text: 'A value holds characters that IMAP can not carry.' },
  InvalidTokenValue: { kind: 'invalid-request', text: 'A value holds characters that IMAP can not carry.' },
}

/** Words of a refusal without a code that speak of a passing state (Exchange, Zimbra, iCloud; reports, 2026-11). */
const PASSING = /too many|rate|try again|temporar|unavailable|busy|limit|throttl|in progress|internal error/i

/**
 * Turns what imapflow throws into a ProviderError. Passwords and tokens are in none of the texts it reads.
 *
 * @param whileSigningIn  a refusal then speaks of the credentials
 * @see RFC 5530, RFC 9051 section 7.1
 */
export function toImapError(error: unknown, whileSigningIn = false): ProviderError {
  if (error instanceof ProviderError) return error
  const fields = typeof error === 'object' && error !== null ? error : {}
  const own = 'code' in fields && typeof fields.code === 'string' ? fields.code : ''
  const server = responseCodeOf(fields)
  const text = refusalText(fields)
  const refused = text !== undefined || server !== ''
  const details = {
    cause: error,
    ...(refused ? { providerCode: server || 'NO', providerBody: bodyOf(server, text) } : {}),
  }
  const meaning = RESPONSE_CODES[server] ?? CLIENT_CODES[own]
  if (meaning) return new ProviderError(meaning.kind, meaning.text, details)
  if (own.startsWith('ParserError') || own === 'InvalidResponse') {
    return new ProviderError(
      'malformed-response',
      'The mail server sent something that is not IMAP.',
      details,
    )
  }
  if (whileSigningIn && 'authenticationFailed' in fields && fields.authenticationFailed === true) {
    if (PASSING.test(text ?? '')) {
      return new ProviderError('unavailable', 'The mail server did not sign the user in just now.', details)
    }
    // RFC 9051 section 7.1.3: BAD is about the command, not the credentials.
    const isBad = 'responseStatus' in fields && fields.responseStatus === 'BAD'
    return isBad
      ? new ProviderError('invalid-request', 'The mail server does not understand the sign-in.', details)
      : new ProviderError('grant-revoked', 'The mail server refused the user name or password.', details)
  }
  if (isTlsCode(own)) {
    return new ProviderError(
      'unavailable',
      `The mail server's TLS certificate is not trusted (${own}).`,
      details,
    )
  }
  if ('tlsFailed' in fields && fields.tlsFailed === true) {
    return new ProviderError(
      'invalid-request',
      'The mail server offers no STARTTLS, which is required.',
      details,
    )
  }
  if (refused) return new ProviderError('invalid-request', 'The mail server refused the command.', details)
  return new ProviderError(
    'unavailable',
    own ? `The connection to the mail server failed (${own}).` : 'The connection to the mail server failed.',
    details,
  )
}

/** The code of a tagged NO or BAD, upper case; `""` where there is none. */
function responseCodeOf(fields: object): string {
  const code = 'serverResponseCode' in fields ? fields.serverResponseCode : undefined
  return typeof code === 'string' ? code.toUpperCase() : ''
}

/** The text of a tagged refusal. A banner or BYE never stands in these fields. */
function refusalText(fields: object): string | undefined {
  if ('responseText' in fields && typeof fields.responseText === 'string') return fields.responseText
  const failed = 'authenticationFailed' in fields && fields.authenticationFailed === true
  return failed && 'response' in fields && typeof fields.response === 'string' ? fields.response : undefined
}

function bodyOf(code: string, text: string | undefined) {
  return { code: code || 'NO', message: (text ?? '').slice(0, 300) }
}

function isTlsCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/.test(code)
}
