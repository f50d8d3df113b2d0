import { isEmailAddress } from '../../formats/addresses.ts'
import { AppError } from '../../kit/app-error.ts'
import type { JsonObject } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { createAuthenticate } from '../grants/authenticate.ts'
import { scopeOf } from '../grants/connect-custom.ts'
import { readConnectInput } from '../grants/connect-input.ts'
import { emailKeyOf } from '../grants/upsert-grant.ts'
import { networkOf } from '../limits/network-of.ts'
import type { CredentialForm } from '../ports/authorization.ts'
import type { HostedClient, HostedStep } from '../ports/oauth-services.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { RequestContext } from '../ports/services.ts'
import {
  countOne,
  PASSWORDS_PER_ADDRESS,
  PASSWORDS_PER_MAILBOX,
  PASSWORDS_PER_SESSION,
  tooManyAttempts,
} from './attempts.ts'
import { endRefused, refusalFor, sendHome } from './finish.ts'
import { mayTake, requireSameAccount } from './guard.ts'
import { HOSTED_ACTOR, type HostedDeps } from './hosted-deps.ts'
import { stop } from './refusal.ts'
import type { OpenSession } from './sessions.ts'
import { type FormFault, formStep } from './steps.ts'
import { boundGrant } from './trip.ts'

type Fields = { readonly [name: string]: string }

/** What is left of a session's ten minutes, when it has used up its attempts. */
const SESSION_SECONDS = 600
const MOST_TEXT = 1000

/**
 * Signs in with what the user typed, and makes the grant. Wrong credentials give the form again; the number of attempts
 * is limited per session, per network and per mailbox.
 */
export function createSubmit(deps: HostedDeps) {
  const authenticate = createAuthenticate(deps)

  return async function submit(
    session: OpenSession,
    { module, form }: { readonly module: ProviderModule; readonly form: CredentialForm },
    typed: Fields,
    client: HostedClient,
    context: RequestContext,
  ): Promise<HostedStep> {
    const { record, request } = session
    const again = (fault: FormFault) => formStep(module, form, request, typed, fault)
    const mistyped = typingFault(form, typed)
    if (mistyped) return again(mistyped)
    const refused = await countAttempt(session, form, typed, client)
    if (refused) return refused
    const caller = { applicationId: record.applicationId, actor: HOSTED_ACTOR }
    try {
      const settings = settingsOf(form, typed, request.smtpRequired)
      const input = await readConnectInput(deps, caller, module.id, settings)
      const bound = await boundGrant(deps, record, module.id, request)
      const { hostField } = form
      const isVouched = hostField !== undefined && settings[hostField] === undefined
      const { grant } = await authenticate(
        {
          caller,
          input,
          scope: scopeOf(input, undefined),
          state: request.state,
          ip: client.ip,
          userAgent: client.userAgent,
          mayTake: mayTake(isVouched),
          ...(bound ? { onto: bound } : {}),
        },
        { account: (account) => requireSameAccount(bound, account, null) },
      )
      const step = await deps.database.transaction(async (stores) =>
        (await stores.oauthSessions.finish(record.id)) ? sendHome(deps, stores, session, grant) : null,
      )
      deps.log.info(
        { requestId: context.requestId, grantId: grant.id, provider: grant.provider },
        'hosted.connected',
      )
      // Sent twice: the other one has been answered with the code.
      return step ?? stop('grant.login_id_invalid')
    } catch (error) {
      const fault = faultOf(error, form)
      if (fault) return again(fault)
      return endRefused(deps, session, await refusalFor(deps, session, error))
    }
  }

  async function countAttempt(
    { record }: OpenSession,
    form: CredentialForm,
    typed: Fields,
    client: HostedClient,
  ): Promise<HostedStep | null> {
    const attempts = await deps.database.stores.oauthSessions.countAttempt(record.id)
    if (attempts === null) return stop('grant.login_id_invalid')
    if (attempts > PASSWORDS_PER_SESSION) return tooManyAttempts(SESSION_SECONDS)
    try {
      await countOne(deps, PASSWORDS_PER_ADDRESS, networkOf(client.ip))
      await countOne(deps, PASSWORDS_PER_MAILBOX, emailKeyOf(typed[form.addressField] ?? ''))
      return null
    } catch (error) {
      if (!(error instanceof AppError) || error.type !== 'api.rate_limit_error') throw error
      return tooManyAttempts(error.extras.retryAfterSeconds ?? SESSION_SECONDS)
    }
  }
}

/** What is wrong with the fields before anybody is asked. */
function typingFault(form: CredentialForm, typed: Fields): FormFault | null {
  const faults = form.fields.flatMap(({ name, label, required }): (readonly [string, string])[] => {
    const value = typed[name] ?? ''
    if (value.trim() === '') return required ? [[name, `${label} is needed.`]] : []
    if (value.length > MOST_TEXT || /\p{Cc}/u.test(value)) return [[name, `${label} is not valid.`]]
    const isAddress = name !== form.addressField || isEmailAddress(value.trim())
    return isAddress ? [] : [[name, 'This is not an email address.'] as const]
  })
  const [first] = faults
  if (!first) return null
  const isAdvanced = form.fields.some(({ name, advanced }) => name === first[0] && advanced)
  return { error: first[1], fields: Object.fromEntries(faults), showAdvanced: isAdvanced }
}

/** What was typed, as settings of connect/custom; a password keeps its spaces. */
function settingsOf(form: CredentialForm, typed: Fields, smtpRequired: boolean): JsonObject {
  const settings = Object.fromEntries(
    form.fields.flatMap(({ name, type }) => {
      const value = type === 'password' ? (typed[name] ?? '') : (typed[name] ?? '').trim()
      return value === '' ? [] : [[name, value] as const]
    }),
  )
  return smtpRequired && form.withSending ? form.withSending(settings) : settings
}

/** What the user can mend himself; null for what he can't. */
function faultOf(error: unknown, form: CredentialForm): FormFault | null {
  if (!(error instanceof AppError)) return null
  const [, name = '', problem = ''] = /^settings\.([a-z_]+) (.*)$/s.exec(error.message) ?? []
  const field = form.fields.find((one) => one.name === name)
  if (error.type === 'api.invalid_request_error' && problem !== '') {
    const text = `${field?.label ?? name} ${problem}.`
    return { error: text, fields: { [name]: text }, showAdvanced: field?.advanced ?? true }
  }
  if (!(error.extras.cause instanceof ProviderError)) return null
  switch (error.type) {
    case 'api.provider_error':
      return {
        error: `${error.message} Check the names and ports of the servers.`,
        showAdvanced: true,
      }
    case 'api.invalid_request_error':
      return { error: error.message, showAdvanced: true }
    case 'grant.invalid_authentication':
    case 'rate_limit_error':
      return { error: error.message }
    default:
      return null
  }
}
