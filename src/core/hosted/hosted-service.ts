import { isProviderName } from '../../contract/providers.ts'
import { isEmailAddress } from '../../formats/addresses.ts'
import { AppError } from '../../kit/app-error.ts'
import type { Branding, HostedService, HostedStep, SessionHandle } from '../ports/oauth-services.ts'
import { takeAdminConsent } from './admin-consent.ts'
import { countOne, DETECTIONS_PER_SESSION } from './attempts.ts'
import { readBranding } from './branding.ts'
import { createTakeCode } from './callback.ts'
import { listOptions, noConnector, type Option } from './choices.ts'
import { endRefused, refusalFor } from './finish.ts'
import { HOSTED_ACTOR, type HostedDeps } from './hosted-deps.ts'
import { redirectRefused } from './redirect.ts'
import { ACCESS_DENIED, stop } from './refusal.ts'
import { findSession, findSessionByState, NO_CHOICE, type OpenSession } from './sessions.ts'
import { createStart } from './start.ts'
import { chooseStep, formStep } from './steps.ts'
import { createSubmit } from './submit.ts'
import { planTrip } from './trip.ts'

type Shown = { readonly step: HostedStep; readonly branding: Branding | null }

const UNDETECTED = 'We can’t tell who keeps the mail of this address. Please choose below.'
const NO_ADDRESS = 'This is not an email address.'

/** Makes hosted authentication (contract/auth.md 3), without its pages. */
export function createHostedService(deps: HostedDeps): HostedService {
  const { stores } = deps.database
  const submit = createSubmit(deps)
  const takeCode = createTakeCode(deps)

  return {
    start: createStart(deps),

    show: (handle) => inSession(handle, (session) => showAgain(session)),

    choose: (handle, provider) =>
      inSession(handle, async (session) => {
        if (provider !== '') return takeProvider(session, provider)
        const isOpen = await stores.oauthSessions.chooseProvider(session.record.id, NO_CHOICE)
        return isOpen ? showAgain({ ...session, record: { ...session.record, provider: null } }) : over()
      }),

    detect: (handle, typed, context) =>
      inSession(handle, async (session) => {
        const { record, request } = session
        const options = await optionsOf(session)
        const email = typed.trim()
        const failed = (error: string) => chooseStep(options, request, { email: email.slice(0, 320), error })
        if (!isEmailAddress(email)) return failed(NO_ADDRESS)
        await countOne(deps, DETECTIONS_PER_SESSION, record.id)
        const caller = { applicationId: record.applicationId, actor: HOSTED_ACTOR }
        const among = options.map(({ module }) => module.id)
        const detectOptions = { allProviderTypes: true, signal: context.signal, among }
        const { provider } = await deps.detect.detect(caller, email, detectOptions)
        return provider === undefined ? failed(UNDETECTED) : takeProvider(session, provider, email)
      }),

    submit: (handle, fields, client, context) =>
      inSession(handle, async (session) => {
        const option = await chosenOption(session)
        const form = option?.module.credentialForm
        if (!option || !form) return showAgain(session)
        return submit(session, { module: option.module, form }, fields, client, context)
      }),

    cancel: (handle) => inSession(handle, (session) => endRefused(deps, session, ACCESS_DENIED)),

    async callback(query, browserSecret, client, context) {
      const session = await findSessionByState(deps, query['state'] ?? '', browserSecret)
      if (!session) return { step: over(), branding: null }
      const branding = await brandingOf(session)
      // Ended before anything is made of it: the same answer, come again, finds nothing.
      if (!(await stores.oauthSessions.finish(session.record.id))) return { step: over(), branding }
      if (session.request.responseType === 'adminconsent') {
        return { step: await takeAdminConsent(deps, session, query), branding }
      }
      const option = await chosenOption(session)
      const authorization = option?.module.authorization
      if (!option || !authorization) {
        const refusal = await refusalFor(deps, session, noConnector(session.request))
        return { step: redirectRefused(session.request, refusal), branding }
      }
      return { step: await takeCode(session, { ...option, authorization }, query, client, context), branding }
    },
  }

  /** Does something in an open session; what the application can mend ends it. */
  async function inSession(
    handle: SessionHandle,
    work: (session: OpenSession) => Promise<HostedStep>,
  ): Promise<Shown> {
    const session = await findSession(deps, handle)
    // Of an administrator's consent there are no pages: only the provider's answer goes on.
    if (session?.request.responseType !== 'code') return { step: over(), branding: null }
    const branding = await brandingOf(session)
    try {
      return { step: await work(session), branding }
    } catch (error) {
      if (error instanceof AppError && error.type === 'api.rate_limit_error') {
        const options = await optionsOf(session)
        const failed = { email: session.request.loginHint, error: 'Too many attempts. Please choose below.' }
        return { step: chooseStep(options, session.request, failed), branding }
      }
      return { step: await endRefused(deps, session, await refusalFor(deps, session, error)), branding }
    }
  }

  async function takeProvider(session: OpenSession, provider: string, email?: string): Promise<HostedStep> {
    const { record, request } = session
    const options = await optionsOf(session)
    const option = isProviderName(provider) ? options.find(({ module }) => module.id === provider) : undefined
    if (!option) return chooseStep(options, request)
    const { module } = option
    if (module.authorization) {
      const { choice, url } = await planTrip(deps, record, option, module.authorization, request, email)
      const isOpen = await stores.oauthSessions.chooseProvider(record.id, choice)
      return isOpen ? { kind: 'redirect', url } : over()
    }
    if (!module.credentialForm) return chooseStep(options, request)
    const isOpen = await stores.oauthSessions.chooseProvider(record.id, { ...NO_CHOICE, provider: module.id })
    const hint = email ?? request.loginHint
    return isOpen ? formStep(module, module.credentialForm, { ...request, loginHint: hint }) : over()
  }

  /** What the session is at. From a provider's page the user came back by himself: he may choose again. */
  async function showAgain(session: OpenSession): Promise<HostedStep> {
    const { request } = session
    const chosen = await chosenOption(session)
    const form = chosen?.module.credentialForm
    if (chosen && form) return formStep(chosen.module, form, request)
    const options = await optionsOf(session)
    if (options.length === 0) throw noConnector(request)
    return chooseStep(options, request)
  }

  /** The provider of the session, where it has one that can still be taken. */
  async function chosenOption(session: OpenSession): Promise<Option | null> {
    const { provider } = session.record
    if (provider === null) return null
    return (await optionsOf(session)).find(({ module }) => module.id === provider) ?? null
  }

  function optionsOf({ record, request }: OpenSession): Promise<readonly Option[]> {
    return listOptions(deps, record.applicationId, request)
  }

  async function brandingOf({ record }: OpenSession): Promise<Branding | null> {
    const application = await stores.applications.find(record.applicationId)
    return application && readBranding(application)
  }
}

function over(): HostedStep {
  return stop('grant.login_id_invalid')
}
