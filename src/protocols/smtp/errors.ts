import { ProviderError } from '../../kit/provider-error.ts'

/**
 * Turns what nodemailer throws while signing in into a ProviderError. The server's text is repeated only for
 * answers to our commands, never from a greeting.
 * @see RFC 4954 section 6, RFC 5321 section 4.2; nodemailer 10.6 error codes (EAUTH, ETLS, ECONNECTION …)
 */
export function toSmtpError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const fields = typeof error === 'object' && error !== null ? error : {}
  const code = 'code' in fields && typeof fields.code === 'string' ? fields.code : ''
  const reply = 'responseCode' in fields && typeof fields.responseCode === 'number' ? fields.responseCode : 0
  const command = 'command' in fields && typeof fields.command === 'string' ? fields.command : ''
  const isAnswer = /AUTH|EHLO|HELO|STARTTLS/i.test(command)
  const response = 'response' in fields && typeof fields.response === 'string' ? fields.response : ''
  const details = {
    cause: error,
    ...(reply > 0
      ? {
          providerCode: String(reply),
          providerBody: { code: reply, message: isAnswer ? response.slice(0, 300) : '' },
        }
      : {}),
  }
  // RFC 5321 section 4.2.3: 421 service not available; RFC 4954: 454 temporary authentication failure; 432.
  if (reply === 421 || reply === 454 || reply === 432) {
    return new ProviderError('unavailable', 'The SMTP server is not available at the moment.', details)
  }
  // RFC 5321: 450, 451, 452 are passing states; big providers throttle so.
  if (reply >= 450 && reply < 460) {
    return new ProviderError('rate-limited', 'The SMTP server is throttling.', details)
  }
  // RFC 4954 section 6: 534, 535 credentials refused; 538 encryption required.
  if (reply === 538 || reply === 530) {
    return new ProviderError('invalid-request', 'The SMTP server requires TLS.', details)
  }
  if (code === 'EAUTH' && reply >= 500) {
    return new ProviderError('grant-revoked', 'The SMTP server refused the user name or password.', details)
  }
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return new ProviderError('invalid-request', 'The SMTP server offers no way to sign in.', details)
  }
  if (code === 'ETLS') {
    return new ProviderError('invalid-request', 'The SMTP server offers no STARTTLS, or TLS failed.', details)
  }
  if (code === 'ETIMEDOUT') {
    return new ProviderError('timeout', 'The SMTP server did not answer in time.', details)
  }
  if (reply >= 500) {
    return new ProviderError('invalid-request', 'The SMTP server refused the session.', details)
  }
  return new ProviderError(
    'unavailable',
    `The SMTP server could not be reached (${code || 'no code'}).`,
    details,
  )
}
