import type { ProviderClient } from '../../core/ports/identity.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { Secret } from '../../kit/secret.ts'

/** Google takes at most an hour (identity/protocols/oauth2/service-account, checked 2026-11). */
const LIFETIME_S = 3600

/**
 * Makes the signed assertion by which a service account acts for a mailbox (RFC 7523 section 3).
 *
 * @param audience  the token endpoint
 * @throws ProviderError `client-misconfigured` when the stored key can't be used
 */
export async function signAssertion(request: {
  readonly client: ProviderClient
  readonly subject: string
  readonly scopes: readonly string[]
  readonly audience: string
  readonly nowMs: number
}): Promise<Secret> {
  const { private_key: privateKey, private_key_id: keyId, client_email: email } = request.client.data
  if (!privateKey || !email) throw unusable('The service account credential has no private key or address.')
  const issuedAt = Math.floor(request.nowMs / 1000)
  try {
    // Keys that travelled through an environment variable have their line ends written out.
    const { importPKCS8, SignJWT } = await import('jose')
    const key = await importPKCS8(privateKey.open().replaceAll('\\n', '\n'), 'RS256')
    const assertion = await new SignJWT({ scope: request.scopes.join(' ') })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId ? { kid: keyId.open() } : {}) })
      .setIssuer(email.open())
      .setSubject(request.subject)
      .setAudience(request.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + LIFETIME_S)
      .sign(key)
    return new Secret(assertion)
  } catch (cause) {
    throw unusable('The private key of the service account can not be read.', cause)
  }
}

function unusable(message: string, cause?: unknown): ProviderError {
  return new ProviderError('client-misconfigured', message, {
    advice: "Store the service account's JSON key again as a credential of type serviceaccount.",
    answered: true,
    ...(cause === undefined ? {} : { cause }),
  })
}
