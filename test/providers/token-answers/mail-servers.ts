import type { ProviderErrorKind } from '../../../src/kit/provider-error.ts'

/** A mail server's refusal of a sign-in as it is documented or was reported, and what it has to mean. */
export interface LoginAnswer {
  /** what follows the tag (IMAP), or the whole reply (SMTP) */
  readonly line: string
  readonly kind: ProviderErrorKind
  readonly reason?: string
  readonly source: string
}

const RFC = 'RFC 5530 section 3'
const REPORTS = 'public reports'

export const IMAP_ANSWERS: readonly LoginAnswer[] = [
  {
    line: 'NO [AUTHENTICATIONFAILED] Authentication failed',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'iCloud: lefcha/imapfilter#125',
  },
  {
    line: 'NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'Gmail: andreiaugustin/gmail_extractor#4',
  },
  {
    line: 'NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'Yahoo: OfflineIMAP/offlineimap#688',
  },
  {
    line: 'NO LOGIN failed.',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'Outlook: mjs/imapclient#602',
  },
  {
    line: 'NO [AUTHORIZATIONFAILED] No such authorization-ID',
    kind: 'grant-revoked',
    reason: 'login_not_allowed',
    source: RFC,
  },
  {
    line: 'NO [EXPIRED] That password is not valid any more',
    kind: 'grant-revoked',
    reason: 'password_expired',
    source: RFC,
  },
  {
    line: 'NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)',
    kind: 'grant-revoked',
    reason: 'app_password_required',
    source: 'Gmail: LukeSmithxyz/mutt-wizard#831',
  },
  {
    line: 'NO LOGIN failed. [Error="AuthFailed:LogonDenied-BasicAuthBlocked-OldPassword"]',
    kind: 'grant-revoked',
    reason: 'password_login_disabled',
    source: 'Exchange Online, public reports',
  },
  {
    line: 'NO [CONTACTADMIN] The account is locked',
    kind: 'access-refused',
    reason: 'contact_administrator',
    source: RFC,
  },
  {
    line: 'NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)',
    kind: 'access-refused',
    reason: 'browser_login_required',
    source: 'Gmail, public reports',
  },
  {
    line: 'NO [WEBALERT https://accounts.google.com/signin/continue] Web login required.',
    kind: 'access-refused',
    reason: 'browser_login_required',
    source: 'Gmail, public reports',
  },
  {
    line: 'NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)',
    kind: 'access-refused',
    reason: 'imap_disabled',
    source: 'Gmail, public reports',
  },
  {
    line: 'NO [UNAVAILABLE] Temporary authentication failure.',
    kind: 'unavailable',
    source: 'Dovecot; RFC 5530',
  },
  {
    line: 'NO [AUTHENTICATIONFAILED] Temporary authentication failure. [host:2026-11-24 09:00:00]',
    kind: 'unavailable',
    source: 'Dovecot behind proxies, public reports',
  },
  {
    line: 'NO [UNAVAILABLE] LOGIN Server error - Please try again later',
    kind: 'unavailable',
    source: 'Yahoo, public reports',
  },
  { line: 'NO [INUSE] The mailbox is locked', kind: 'unavailable', source: RFC },
  { line: 'NO [SERVERBUG] Internal error', kind: 'unavailable', source: RFC },
  {
    line: 'NO User is authenticated but not connected.',
    kind: 'unavailable',
    source: 'Exchange, public reports',
  },
  { line: 'NO [LIMIT] LOGIN Rate limit hit.', kind: 'rate-limited', source: 'Yahoo, public reports' },
  {
    line: 'NO [ALERT] Too many simultaneous connections. (Failure)',
    kind: 'unavailable',
    source: 'Gmail, public reports',
  },
  { line: 'NO [PRIVACYREQUIRED] Use TLS', kind: 'invalid-request', source: RFC },
  {
    line: 'BAD Command argument error 11',
    kind: 'invalid-request',
    source: `Exchange, ${REPORTS}; RFC 9051 section 7.1.3`,
  },
]

export const SMTP_ANSWERS: readonly LoginAnswer[] = [
  {
    line: '535 5.7.8 Error: authentication failed: (reason unavailable)',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'Postfix; RFC 4954 section 6',
  },
  {
    line: '535 5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'Gmail',
  },
  {
    line: '535 5.7.3 Authentication unsuccessful',
    kind: 'grant-revoked',
    reason: 'login_refused',
    source: 'Exchange',
  },
  {
    line: '534 5.7.9 Application-specific password required. For more information, go to https://support.google.com/mail/?p=InvalidSecondFactor',
    kind: 'grant-revoked',
    reason: 'app_password_required',
    source: 'Gmail',
  },
  {
    line: '534 5.7.14 Please log in via your web browser and then try again.',
    kind: 'access-refused',
    reason: 'browser_login_required',
    source: 'Gmail',
  },
  {
    line: '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.',
    kind: 'access-refused',
    reason: 'smtp_login_disabled',
    source: 'Exchange Online',
  },
  {
    line: "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
    kind: 'access-refused',
    reason: 'smtp_login_disabled',
    source: 'Exchange Online',
  },
  {
    line: '525 5.7.13 User account disabled',
    kind: 'access-refused',
    reason: 'contact_administrator',
    source: 'RFC 5248',
  },
  { line: '550 5.7.1 Not today', kind: 'access-refused', source: 'a reply no table knows ends no grant' },
  {
    line: '454 4.7.0 Temporary authentication failure: Connection lost',
    kind: 'unavailable',
    source: 'Postfix; RFC 4954',
  },
  {
    line: '454 4.7.0 Too many login attempts, please try again later.',
    kind: 'rate-limited',
    source: 'Gmail',
  },
  { line: '432 4.7.12 A password transition is needed', kind: 'unavailable', source: 'RFC 4954 section 6' },
  { line: '421 4.7.0 Temporary System Problem. Try again later.', kind: 'rate-limited', source: 'Gmail' },
  { line: '451 4.3.0 Mail server temporarily rejected message', kind: 'rate-limited', source: 'RFC 5321' },
  {
    line: '538 5.7.11 Encryption required for requested authentication mechanism',
    kind: 'invalid-request',
    source: 'RFC 4954',
  },
  { line: '530 5.7.0 Must issue a STARTTLS command first', kind: 'invalid-request', source: 'RFC 3207' },
]
