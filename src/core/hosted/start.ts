import { applicationId } from '../../contract/ids.ts'
import { AppError } from '../../kit/app-error.ts'
import { networkOf } from '../limits/network-of.ts'
import type { Branding, HostedClient, HostedService, HostedStep } from '../ports/oauth-services.ts'
import type { ApplicationRecord } from '../ports/records.ts'
import { planAdminConsent } from './admin-consent.ts'
import { countOne, STARTS_PER_ADDRESS, tooManyAttempts } from './attempts.ts'
import { readBranding } from './branding.ts'
import { isDirect, listOptions, narrowProviders, noConnector } from './choices.ts'
import type { HostedDeps } from './hosted-deps.ts'
import type { HostedRequest } from './hosted-request.ts'
import { readParameters, readReturnAddress } from './read-parameters.ts'
import { isRegistered, redirectRefused } from './redirect.ts'
import { refusalOf, stop } from './refusal.ts'
import { type Choice, newHandle, NO_CHOICE, openSession } from './sessions.ts'
import { chooseStep, formStep } from './steps.ts'
import { planTrip } from './trip.ts'

type Started = Awaited<ReturnType<HostedService['start']>>

const MOST_CLIENT_ID = 128
const MOST_REDIRECT_URI = 2048

/** Makes `GET /v3/connect/auth`. Nobody is sent anywhere before the redirect address is known to be the application's. */
export function createStart(deps: HostedDeps): HostedService['start'] {
  return async (query, client, context) => {
    const limited = await tooManyStarts(deps, client)
    if (limited) return stopped(limited, null)
    const application = await findApplication(deps, query['client_id'] ?? '')
    if (!application) {
      return stopped(
        stop('api.invalid_request_error', 'client_id names no application of this server.'),
        null,
      )
    }
    const branding = readBranding(application)
    if (application.blocked) return stopped(stop('api.resource_blocked'), branding)
    const redirectUri = query['redirect_uri'] ?? ''
    const registered = await deps.database.stores.callbackUris.list(application.id)
    if (redirectUri.length > MOST_REDIRECT_URI || !isRegistered(redirectUri, registered)) {
      return stopped(stop('grant.callback_uri_not_allowed'), branding)
    }
    const address = readReturnAddress(query, redirectUri)
    try {
      const started = await open(deps, application, readParameters(query, address), client)
      deps.log.info({ requestId: context.requestId, applicationId: application.id }, 'hosted.started')
      return { ...started, branding }
    } catch (error) {
      const refusal = error instanceof AppError ? refusalOf(error) : null
      if (!refusal) throw error
      return { step: redirectRefused(address, refusal), session: null, branding }
    }
  }
}

async function open(
  deps: HostedDeps,
  application: ApplicationRecord,
  asked: HostedRequest,
  client: HostedClient,
): Promise<Omit<Started, 'branding'>> {
  const handle = newHandle(deps, client.browserSecret)
  const session = { id: handle.id, applicationId: application.id }
  const keep = (request: HostedRequest, choice: Choice) =>
    openSession(deps, handle, application.id, request, choice)
  if (asked.responseType === 'adminconsent') {
    const { choice, url } = await planAdminConsent(deps, session, asked)
    await keep(asked, choice)
    return { step: { kind: 'redirect', url }, session: handle }
  }
  const request = await narrowProviders(deps, application.id, asked)
  const options = await listOptions(deps, application.id, request)
  const [only] = options
  if (!only) throw noConnector(request)
  if (!isDirect(request)) {
    await keep(request, NO_CHOICE)
    return { step: chooseStep(options, request), session: handle }
  }
  const { module } = only
  if (module.authorization) {
    const { choice, url } = await planTrip(deps, session, only, module.authorization, request)
    await keep(request, choice)
    return { step: { kind: 'redirect', url }, session: handle }
  }
  if (!module.credentialForm) throw noConnector(request)
  await keep(request, { ...NO_CHOICE, provider: module.id })
  return { step: formStep(module, module.credentialForm, request), session: handle }
}

async function tooManyStarts(deps: HostedDeps, { ip }: HostedClient): Promise<HostedStep | null> {
  try {
    await countOne(deps, STARTS_PER_ADDRESS, networkOf(ip))
    return null
  } catch (error) {
    if (!(error instanceof AppError) || error.type !== 'api.rate_limit_error') throw error
    return tooManyAttempts(error.extras.retryAfterSeconds ?? 60)
  }
}

async function findApplication(deps: HostedDeps, clientId: string): Promise<ApplicationRecord | null> {
  if (clientId === '' || clientId.length > MOST_CLIENT_ID || /\p{Cc}/u.test(clientId)) return null
  return deps.database.stores.applications.find(applicationId(clientId))
}

function stopped(step: HostedStep, branding: Branding | null): Started {
  return { step, session: null, branding }
}
