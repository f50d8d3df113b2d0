import type { JsonObject } from '../../kit/json.ts'
import { AppError } from '../../kit/app-error.ts'
import { auditWrite } from '../applications/audit-write.ts'
import type { HostedStep } from '../ports/oauth-services.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Stores } from '../ports/stores.ts'
import { HOSTED_ACTOR, type HostedDeps } from './hosted-deps.ts'
import { redirectBack, redirectRefused } from './redirect.ts'
import { type Refusal, refusalOf, stop } from './refusal.ts'
import type { OpenSession } from './sessions.ts'

/** Makes a code of ours for the grant, in the caller's transaction, and sends the user home with it. */
export async function sendHome(
  deps: HostedDeps,
  stores: Stores,
  { record, request }: OpenSession,
  grant: GrantRecord,
): Promise<HostedStep> {
  const code = await deps.tokens.issueCode(stores, {
    applicationId: record.applicationId,
    grantId: grant.id,
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    challengeMethod: request.challengeMethod,
    offline: request.offline,
  })
  return redirectBack(request, { code })
}

/** Ends the session and tells the application why; a stop where the session had ended already. */
export async function endRefused(
  deps: HostedDeps,
  { record, request }: OpenSession,
  refusal: Refusal,
): Promise<HostedStep> {
  const isOurs = await deps.database.stores.oauthSessions.finish(record.id)
  return isOurs ? redirectRefused(request, refusal) : stop('grant.login_id_invalid')
}

/**
 * Turns an error into what the application is told. Attempts at another's mailbox get an audit row.
 * @throws what is a fault of ours
 */
export async function refusalFor(deps: HostedDeps, session: OpenSession, error: unknown): Promise<Refusal> {
  const refusal = error instanceof AppError ? refusalOf(error) : null
  if (!(error instanceof AppError) || !refusal) throw error
  const { record } = session
  deps.log.info(
    {
      applicationId: record.applicationId,
      provider: record.provider,
      type: error.type,
      detail: error.extras.detail,
    },
    'hosted.refused',
  )
  if (error.type === 'grant.reauth_email_invalid') {
    await audit(deps, session, 'grant.reauthentication_refused', `connector:${record.provider}`)
  }
  return refusal
}

export function audit(
  deps: HostedDeps,
  { record }: OpenSession,
  action: string,
  target: string,
  detail: JsonObject = {},
  stores: Stores = deps.database.stores,
): Promise<void> {
  const caller = { applicationId: record.applicationId, actor: HOSTED_ACTOR }
  return auditWrite(stores, deps, caller, action, target, detail)
}
