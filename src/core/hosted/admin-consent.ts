import { stringField } from '../../kit/json.ts'
import { checkCredential, openData, withData } from '../credentials/credential-record.ts'
import type { Authorization } from '../ports/authorization.ts'
import type { HostedStep } from '../ports/oauth-services.ts'
import type { CredentialRecord } from '../ports/records.ts'
import { providerRefusal } from './callback.ts'
import { findCredential, noConnector, type Option } from './choices.ts'
import { audit, refusalFor } from './finish.ts'
import { callbackUrl, type HostedDeps } from './hosted-deps.ts'
import type { HostedRequest } from './hosted-request.ts'
import type { Query } from './read-parameters.ts'
import { redirectBack, redirectRefused } from './redirect.ts'
import { invalidParameter } from './refusal.ts'
import { type Choice, newTrip, type OpenSession } from './sessions.ts'
import { scopeOf } from '../grants/connect-custom.ts'

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

type AdminConsent = NonNullable<Authorization['adminConsentUrl']>

/**
 * Sends an administrator to where he consents for his whole tenant (contract/auth.md 3). The credential tells the
 * provider; nobody needs to name it.
 * @throws AppError for the application
 */
export async function planAdminConsent(
  deps: HostedDeps,
  session: { readonly id: string; readonly applicationId: OpenSession['record']['applicationId'] },
  request: HostedRequest,
): Promise<{ readonly choice: Choice; readonly url: string }> {
  if (request.credentialId === null) throw invalidParameter('credential_id is required for adminconsent')
  const credential = await findCredential(deps, session.applicationId, request.credentialId, 'adminconsent')
  if (request.providers && !request.providers.includes(credential.provider)) {
    throw invalidParameter('credential_id names a credential of another provider')
  }
  const { option, adminConsentUrl } = await optionOf(deps, credential)
  const client = await deps.clients.open(option.connector, credential.id, 'adminconsent')
  if (!client) throw noConnector({ providers: [credential.provider] })
  const { state, stateHash } = newTrip(deps, session)
  const scope = scopeOf(option, request.scope ?? undefined)
  return {
    choice: { provider: credential.provider, stateHash, sealedVerifier: null },
    url: adminConsentUrl({ client, redirectUri: callbackUrl(deps), state, scope }),
  }
}

/**
 * Takes the administrator's answer, for a session that is ended already: the tenant goes to the credential. A credential
 * that has a tenant keeps it, so that the administrator of another one can't take over what the application does with it.
 */
export async function takeAdminConsent(
  deps: HostedDeps,
  session: OpenSession,
  query: Query,
): Promise<HostedStep> {
  const { request } = session
  const refused = providerRefusal(query)
  if (refused) return redirectRefused(request, refused)
  try {
    if (query['admin_consent']?.toLowerCase() !== 'true') {
      throw invalidParameter('The provider did not say that the administrator consented.', 'access_denied')
    }
    await storeTenant(deps, session, query['tenant'] ?? '')
    return redirectBack(request, { admin_consent: 'true' })
  } catch (error) {
    return redirectRefused(request, await refusalFor(deps, session, error))
  }
}

async function storeTenant(deps: HostedDeps, session: OpenSession, tenant: string): Promise<void> {
  if (!GUID.test(tenant)) throw invalidParameter('The provider did not name the tenant.', 'server_error')
  const { applicationId } = session.record
  const before = await findCredential(deps, applicationId, session.request.credentialId ?? '', 'adminconsent')
  const { option } = await optionOf(deps, before)
  const data = await openData(deps.vault, before)
  const known = stringField(data, 'tenant')
  if (known !== undefined && GUID.test(known) && known.toLowerCase() !== tenant.toLowerCase()) {
    throw invalidParameter('The administrator consented for another tenant than that of the credential.')
  }
  const target = `credential:${before.id}`
  await deps.database.transaction(async (stores) => {
    if (known === undefined) {
      const checked = checkCredential(option.module, before.type, { ...data, tenant })
      const current = await stores.credentials.find(applicationId, before.id)
      if (current?.sealedData !== before.sealedData) {
        throw invalidParameter('The credential was changed meanwhile. Ask for consent again.', 'server_error')
      }
      await stores.credentials.update(withData(deps, current, checked))
    }
    await audit(deps, session, 'credential.admin_consented', target, { tenant }, stores)
  })
}

async function optionOf(
  deps: HostedDeps,
  { applicationId, provider }: Pick<CredentialRecord, 'applicationId' | 'provider'>,
): Promise<{ readonly option: Option; readonly adminConsentUrl: AdminConsent }> {
  const connector = await deps.database.stores.connectors.find(applicationId, provider)
  const module = deps.providers.get(provider)
  if (!connector) throw noConnector({ providers: [provider] })
  const adminConsentUrl = module?.authorization?.adminConsentUrl
  if (!module || !adminConsentUrl) throw invalidParameter(`provider: ${provider} has no admin consent`)
  return { option: { module, connector }, adminConsentUrl }
}
