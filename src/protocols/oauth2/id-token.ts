import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import type { Secret } from '../../kit/secret.ts'

/**
 * Reads the claims of an id token that came straight from the token endpoint over TLS, where its signature
 * need not be checked (OpenID Connect Core 1.0 section 3.1.3.7, rule 6). Garbage gives no claims.
 */
export async function idTokenClaims(idToken: Secret | undefined): Promise<JsonObject> {
  if (!idToken) return {}
  const { decodeJwt } = await import('jose')
  try {
    const claims: unknown = decodeJwt(idToken.open())
    return isJsonObject(claims) ? claims : {}
  } catch {
    return {} // not a JWT: the caller asks the provider instead
  }
}
