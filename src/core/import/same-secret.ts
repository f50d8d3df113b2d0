import type { GrantSecret, MailServerLogin } from '../ports/identity.ts'

/**
 * Tells whether a row's settings are the ones its grant was made of. A login finds out hosts and the form of the user
 * name, so what a row leaves open is no difference.
 */
export function isSameSecret(given: GrantSecret, stored: GrantSecret): boolean {
  switch (given.kind) {
    case 'none':
      return stored.kind === 'none'
    case 'impersonation':
      return (
        stored.kind === 'impersonation' &&
        stored.emailAddress.toLowerCase() === given.emailAddress.toLowerCase() &&
        stored.scopes.join(' ') === given.scopes.join(' ')
      )
    case 'mailbox':
      return (
        stored.kind === 'mailbox' &&
        isSameLogin(given.imap, stored.imap) &&
        (given.smtp === null || (stored.smtp !== null && isSameLogin(given.smtp, stored.smtp))) &&
        given.dav?.username === stored.dav?.username &&
        given.dav?.password.open() === stored.dav?.password.open()
      )
    case 'refresh-token':
      return stored.kind === 'refresh-token' && stored.refreshToken.open() === given.refreshToken.open()
  }
}

function isSameLogin(given: MailServerLogin, stored: MailServerLogin): boolean {
  const isSameServer =
    given.host === '' ||
    (given.host === stored.host && given.port === stored.port && given.tls === stored.tls)
  const isSameUser = given.username === stored.username || given.username.startsWith(`${stored.username}@`)
  return isSameServer && isSameUser && given.password.open() === stored.password.open()
}
