import type { Secret } from '../../kit/secret.ts'
import { openSmtp, type SmtpConnecting, type SmtpLogin } from './open-smtp.ts'

/**
 * Signs in to a submission server and leaves: EHLO, TLS, AUTH, QUIT. Nothing is sent.
 *
 * @throws ProviderError as `openSmtp`
 * @see RFC 6409, RFC 4954, RFC 3207
 */
export async function verifySmtp(
  login: Omit<SmtpLogin, 'auth'> & { readonly password: Secret },
  connecting: SmtpConnecting,
  callerSignal: AbortSignal,
): Promise<void> {
  const { connection } = await openSmtp(
    { ...login, auth: { password: login.password } },
    connecting,
    callerSignal,
  )
  connection.quit()
  connection.close()
}
