import { appError } from '../../contract/errors.ts'
import { applicationId, type ApplicationId } from '../../contract/ids.ts'
import { invalidClient, requiredField } from './refusals.ts'
import type { TokenDeps } from './token-deps.ts'

/** The application that asks for a token. */
export interface TokenClient {
  readonly applicationId: ApplicationId
  /** It showed an API key. Without one a request must prove itself otherwise (PKCE). */
  readonly isAuthenticated: boolean
}

/**
 * Finds who asks for a token (contract/auth.md 4.1): accepted when any credential that was shown is an API key of the
 * `client_id`, since SDKs send a wrong `client_secret` beside a right header and the other way round. Wrong credentials
 * alone are refused, also where none would have done.
 *
 * @param bearer  of the header: a bearer, or the password of Basic
 * @throws OAuthError `invalid_client` 401, `invalid_request`; AppError 423 for a blocked application
 */
export async function authenticateClient(
  { apiKeys, database }: TokenDeps,
  form: { readonly [name: string]: string },
  bearer: string | null,
): Promise<TokenClient> {
  const clientId = applicationId(requiredField(form, 'client_id'))
  const shown = [form['client_secret'] ?? '', bearer ?? ''].filter((credential) => credential !== '')
  for (const credential of shown) {
    const caller = await apiKeys.authenticate(credential)
    if (caller?.applicationId === clientId) return { applicationId: clientId, isAuthenticated: true }
  }
  if (shown.length > 0) throw invalidClient('No credential of this request is an API key of the client_id.')
  const application = await database.stores.applications.find(clientId)
  if (!application) throw invalidClient('There is no application of this client_id.')
  if (application.blocked) throw appError('api.resource_blocked', 'The application is blocked.')
  return { applicationId: clientId, isAuthenticated: false }
}

/** For what is given to nobody without an API key. */
export function requireAuthenticated(client: TokenClient): void {
  if (!client.isAuthenticated) {
    throw invalidClient('An API key is required, as client_secret or in the Authorization header.')
  }
}
