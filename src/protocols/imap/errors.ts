import { ProviderError, type ProviderErrorDetails, type ProviderErrorKind } from '../../kit/provider-error.ts'

interface CodeMeaning {
  readonly kind: ProviderErrorKind
  readonly text: string
}

/** A line of the table: what a refusal says. The first whose conditions all hold counts. */
interface RefusalRule extends CodeMeaning {
  /** response code of the tagged answer; absent: any, also none */
  readonly code?: string
  readonly words?: RegExp
  /** Our stable name of the cause; where the sign-in was refused. */
  readonly reason?: string
  readonly advice?: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const RFC = 'RFC 5530 section 3'
const CHECK_LOGIN =
  'Check user name and password, and post them again. Many providers want an app password instead of the account’s own, and end it when that one is changed.'
const LOGIN_REFUSED = {
  kind: 'grant-revoked',
  text: 'The mail server refused the user name or password.',
  reason: 'login_refused',
  advice: CHECK_LOGIN,
} as const
/** RFC 9051 section 6.2.3: said of the connection, not of the user. */
const LOGIN_DISABLED = {
  kind: 'access-refused',
  text: 'The mail server takes no password on this connection.',
  reason: 'login_disabled',
  advice: 'The mail server may want TLS from the first byte (port 993), or OAuth instead of a password.',
} as const
/** imapflow's own words (2.10) for it; it gives no code. */
const NO_WAY_IN = /^(Login is disabled|No matching authentication method)$/
const PASSING = {
  kind: 'unavailable',
  text: 'The mail server did not sign the user in just now.',
} as const

/** Refusals of a sign-in, by their words: they come before the codes, which say less. */
const SIGN_IN_RULES: readonly RefusalRule[] = [
  {
    words: /temporar|try again later|internal error|server error|authenticated but not connected/i,
    ...PASSING,
    source: 'wordings of Dovecot, Yahoo and Exchange in public reports',
  },
  {
    words: /application-specific password|app(lication)? password (is )?required/i,
    kind: 'grant-revoked',
    text: 'The provider wants an app password instead of the account’s own.',
    reason: 'app_password_required',
    advice: 'Make an app password in the security settings of the account, and post it as the password.',
    source: 'support.google.com/accounts/answer/185833',
  },
  {
    words: /basicauthblocked|basic auth(entication)? (is )?(disabled|blocked)/i,
    kind: 'grant-revoked',
    text: 'The provider does not take passwords for IMAP any more.',
    reason: 'password_login_disabled',
    advice: 'Connect the account through the provider microsoft (OAuth) instead of imap.',
    source:
      'learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online',
  },
  {
    words: /not enabled for imap|imap access is disabled|imap (service )?is (disabled|not enabled)/i,
    kind: 'access-refused',
    text: 'IMAP is switched off for this account.',
    reason: 'imap_disabled',
    advice: 'Switch IMAP on in the settings of the mailbox, or ask the administrator of the domain.',
    source: 'wordings of Gmail in public reports; support.google.com/mail/answer/7126229',
  },
  {
    words: /log ?in via your web browser|web login required/i,
    kind: 'access-refused',
    text: 'The provider wants the user to sign in with a browser first.',
    reason: 'browser_login_required',
    advice: 'The user signs in on the provider’s web page once; nothing need be posted again.',
    source: 'support.google.com/mail/answer/78754',
  },
]

/** IMAP response codes and what they mean to us. */
const CODE_RULES: readonly RefusalRule[] = [
  { code: 'AUTHENTICATIONFAILED', ...LOGIN_REFUSED, source: RFC },
  {
    // Authenticated, but may not act as that user.
    code: 'AUTHORIZATIONFAILED',
    kind: 'grant-revoked',
    text: 'The mail server does not let this user in.',
    reason: 'login_not_allowed',
    advice: 'The administrator of the mail server must allow the account IMAP, or this mailbox.',
    source: RFC,
  },
  {
    code: 'EXPIRED',
    kind: 'grant-revoked',
    text: 'The password or token has expired.',
    reason: 'password_expired',
    advice: 'The user must set a new password; post it.',
    source: RFC,
  },
  {
    // A locked account, for example: the password may be right and work again tomorrow.
    code: 'CONTACTADMIN',
    kind: 'access-refused',
    text: 'The mail server asks to contact its administrator.',
    reason: 'contact_administrator',
    advice: 'The account may be locked: ask the administrator of the mail server.',
    source: RFC,
  },
  {
    code: 'WEBALERT',
    kind: 'access-refused',
    text: 'The provider wants the user to sign in with a browser first.',
    reason: 'browser_login_required',
    advice: 'The user signs in on the provider’s web page once; nothing need be posted again.',
    source: 'Gmail, in public reports',
  },
  { code: 'NOPERM', kind: 'access-refused', text: 'The account may not open this folder.', source: RFC },
  { code: 'PRIVACYREQUIRED', kind: 'invalid-request', text: 'The mail server requires TLS.', source: RFC },
  {
    code: 'UNAVAILABLE',
    kind: 'unavailable',
    text: 'The mail server is not available at the moment.',
    source: RFC,
  },
  { code: 'INUSE', kind: 'unavailable', text: 'The mailbox is in use at the moment.', source: RFC },
  { code: 'LIMIT', kind: 'rate-limited', text: 'A limit of the mail server is reached.', source: RFC },
  {
    code: 'THROTTLED',
    kind: 'rate-limited',
    text: 'The mail server is throttling.',
    source: 'Gmail and Exchange Online (imapflow 2.10 waits for it too)',
  },
  // Not a matter of waiting.
  { code: 'OVERQUOTA', kind: 'mailbox-full', text: 'The mailbox is over its quota.', source: RFC },
  { code: 'NONEXISTENT', kind: 'not-found', text: 'The folder does not exist.', source: RFC },
  {
    code: 'TRYCREATE',
    kind: 'not-found',
    text: 'The folder does not exist.',
    source: 'RFC 9051 section 7.1',
  },
  {
    code: 'ALREADYEXISTS',
    kind: 'conflict',
    text: 'A folder of that name exists already.',
    source: RFC,
  },
  { code: 'CANNOT', kind: 'unsupported', text: 'The mail server can not do that.', source: RFC },
  { code: 'EXPUNGEISSUED', kind: 'unavailable', text: 'Messages were removed meanwhile.', source: RFC },
  { code: 'SERVERBUG', kind: 'unavailable', text: 'The mail server had an internal error.', source: RFC },
  { code: 'CORRUPTION', kind: 'unavailable', text: 'The mailbox is damaged.', source: RFC },
  { code: 'CLIENTBUG', kind: 'invalid-request', text: 'The mail server refused the command.', source: RFC },
  {
    code: 'BADCHARSET',
    kind: 'unsupported',
    text: 'The mail server can not search for text of this kind.',
    source: 'RFC 9051 section 7.1',
  },
]

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

/** Words of a refused sign-in without a code that speak of a passing state (Exchange, Zimbra, iCloud; reports, 2026-11). */
const PASSING_WORDS = /too many|\brate\b|try again|unavailable|busy|limit|throttl|in progress/i

/** Advises on a reason for which a grant of a mailbox login died. */
export function adviseOnLoginRefusal(reason: string): string | undefined {
  return [...SIGN_IN_RULES, ...CODE_RULES].find((rule) => rule.reason === reason)?.advice
}

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
  const isFailedSignIn =
    whileSigningIn && 'authenticationFailed' in fields && fields.authenticationFailed === true
  // imapflow (2.10) calls it the same when it gave up by itself: then nobody has judged the credentials.
  const isRefusedSignIn = isFailedSignIn && ('responseStatus' in fields || text !== undefined)
  const said = isRefusedSignIn && SIGN_IN_RULES.find((rule) => rule.words?.test(text ?? ''))
  const rule = said || CODE_RULES.find(({ code }) => code === server)
  // Who was let in once is judged by the next sign-in, and by nothing else: a grant hangs on it.
  if (rule?.kind === 'grant-revoked' && !whileSigningIn) {
    return new ProviderError('unavailable', 'The mail server wants the user to sign in again.', details)
  }
  if (rule) return refusal(rule, details)
  const meaning = CLIENT_CODES[own]
  if (meaning) return new ProviderError(meaning.kind, meaning.text, details)
  // What no code of ours or of imapflow's could make sense of.
  const isStray = error instanceof TypeError || error instanceof RangeError
  if (own.startsWith('ParserError') || own === 'InvalidResponse' || isStray) {
    return new ProviderError(
      'malformed-response',
      'The mail server sent something that is not IMAP.',
      details,
    )
  }
  if (isRefusedSignIn) {
    if (PASSING_WORDS.test(text ?? '')) return new ProviderError(PASSING.kind, PASSING.text, details)
    // RFC 9051 section 7.1.3: BAD is about the command, not the credentials.
    const isBad = 'responseStatus' in fields && fields.responseStatus === 'BAD'
    return isBad
      ? new ProviderError('invalid-request', 'The mail server does not understand the sign-in.', details)
      : refusal(LOGIN_REFUSED, details)
  }
  if (isFailedSignIn && error instanceof Error && NO_WAY_IN.test(error.message)) {
    return refusal(LOGIN_DISABLED, details)
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

/** Tells whether a refusal says that the session is over, though the connection may stand. */
export function endsSession(error: unknown): boolean {
  const code =
    error instanceof ProviderError
      ? error.details.providerCode
      : typeof error === 'object' && error !== null
        ? responseCodeOf(error)
        : ''
  return CODE_RULES.some((rule) => rule.kind === 'grant-revoked' && rule.code === code)
}

function refusal(
  { kind, text, reason, advice }: Omit<RefusalRule, 'source'>,
  details: ProviderErrorDetails,
): ProviderError {
  return new ProviderError(kind, text, {
    ...details,
    ...(reason === undefined ? {} : { reason }),
    ...(advice === undefined ? {} : { advice }),
  })
}

/** The code of a tagged NO or BAD, upper case; `""` where there is none. */
function responseCodeOf(fields: object): string {
  const code = 'serverResponseCode' in fields ? fields.serverResponseCode : parsedCodeOf(fields)
  return typeof code === 'string' ? code.toUpperCase() : ''
}

/** The code in the parsed answer, which is all there is of a refused FETCH (imapflow 2.10). */
function parsedCodeOf(fields: object): unknown {
  const response = 'response' in fields ? fields.response : undefined
  const attributes = inside(response, 'attributes')
  const section = inside(Array.isArray(attributes) ? attributes[0] : undefined, 'section')
  return inside(Array.isArray(section) ? section[0] : undefined, 'value')
}

function inside(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
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
