import type { Config } from '../config/schema.ts'
import type { Mailer } from '../core/ports/mailer.ts'
import { Secret } from '../kit/secret.ts'
import { sendPlainMessage, type Submission } from '../protocols/smtp/send-mail.ts'
import { StartError } from './start-error.ts'

const DEFAULT_PORTS = { implicit: 465, starttls: 587 }

/**
 * Makes the way out for mail of the operator's own.
 *
 * @returns null where no mail server is configured
 * @throws StartError when only one of the two variables is set
 */
export function operatorMailer({ smtp, allowPlaintextMail }: Config): Mailer | null {
  if (smtp.url === undefined && smtp.from === undefined) return null
  if (smtp.url === undefined || smtp.from === undefined) {
    throw new StartError('GRANTWAY_SMTP_URL and GRANTWAY_SMTP_FROM go together: set both, or neither.')
  }
  const submission = { ...readAddress(smtp.url), from: smtp.from, allowPlaintext: allowPlaintextMail }
  return { send: (message, signal) => sendPlainMessage(submission, message, signal) }
}

/** Its form was checked when the configuration was read. */
function readAddress(address: Secret): Pick<Submission, 'host' | 'port' | 'tls' | 'login'> {
  const url = new URL(address.open())
  const tls = url.protocol === 'smtps:' ? 'implicit' : 'starttls'
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORTS[tls] : Number(url.port),
    tls,
    login:
      url.username === ''
        ? null
        : {
            username: decodeURIComponent(url.username),
            password: new Secret(decodeURIComponent(url.password)),
          },
  }
}
