import { createHash } from 'node:crypto'
import type { ApplicationId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import { Secret } from '../../kit/secret.ts'
import type { SessionHandle } from '../ports/oauth-services.ts'
import type { OAuthSessionRecord } from '../ports/oauth-stores.ts'
import type { Vault } from '../ports/vault.ts'
import { hashOf } from '../tokens/token-text.ts'
import type { HostedDeps } from './hosted-deps.ts'
import { type HostedRequest, readHostedRequest } from './hosted-request.ts'

/** A session that is open, in the browser that started it. */
export interface OpenSession {
  readonly record: OAuthSessionRecord
  readonly request: HostedRequest
}

/** The choice a session notes: with a state and verifier where the user goes to a provider's page. */
export interface Choice {
  readonly provider: ProviderName | null
  readonly stateHash: string | null
  readonly sealedVerifier: string | null
}

export const NO_CHOICE: Choice = { provider: null, stateHash: null, sealedVerifier: null }

const LIFE_MS = 10 * 60 * 1000
const SECRET = /^[A-Za-z0-9_-]{43}$/
const MOST_STATE = 256

/** Makes the id of a new session; it is bound to the browser's secret, a new one where it has none. */
export function newHandle(deps: HostedDeps, browserSecret: string | null | undefined): SessionHandle {
  const isOurs = browserSecret && SECRET.test(browserSecret)
  return { id: deps.ids.uuid(), browserSecret: isOurs ? browserSecret : deps.ids.token(32) }
}

export async function openSession(
  deps: HostedDeps,
  handle: SessionHandle,
  applicationId: ApplicationId,
  request: HostedRequest,
  choice: Choice,
): Promise<void> {
  const browserHash = hashOf(handle.browserSecret)
  await deps.database.stores.oauthSessions.insert(
    {
      ...choice,
      id: handle.id,
      applicationId,
      browserHash,
      request: { ...request },
      attempts: 0,
      status: 'open',
    },
    LIFE_MS,
  )
}

/** Finds a session; null where it is over, unknown, or another browser's. */
export async function findSession(deps: HostedDeps, handle: SessionHandle): Promise<OpenSession | null> {
  const record = await deps.database.stores.oauthSessions.findOpen(handle.id)
  return ofBrowser(record, handle.browserSecret)
}

/** The same, by the state that came back from a provider. */
export async function findSessionByState(
  deps: HostedDeps,
  state: string,
  browserSecret: string | null,
): Promise<OpenSession | null> {
  if (state === '' || state.length > MOST_STATE || browserSecret === null) return null
  const record = await deps.database.stores.oauthSessions.findOpenByState(hashOf(state))
  return ofBrowser(record, browserSecret)
}

function ofBrowser(record: OAuthSessionRecord | null, browserSecret: string): OpenSession | null {
  if (!record || record.browserHash !== hashOf(browserSecret)) return null
  return { record, request: readHostedRequest(record.request) }
}

/** A state and a PKCE verifier (RFC 7636) for one trip to a provider; both are worth nothing after it. */
export function newTrip(
  deps: HostedDeps,
  session: Pick<OAuthSessionRecord, 'id' | 'applicationId'>,
): Pick<Choice, 'stateHash' | 'sealedVerifier'> & { readonly state: string; readonly codeChallenge: string } {
  const state = deps.ids.token(32)
  const verifier = deps.ids.token(32)
  return {
    state,
    codeChallenge: createHash('sha256').update(verifier, 'ascii').digest('base64url'),
    stateHash: hashOf(state),
    sealedVerifier: deps.vault.seal(placeOf(session), verifier),
  }
}

export async function openVerifier(vault: Vault, record: OAuthSessionRecord): Promise<Secret> {
  return new Secret(
    record.sealedVerifier === null ? '' : await vault.open(placeOf(record), record.sealedVerifier),
  )
}

function placeOf(session: Pick<OAuthSessionRecord, 'id' | 'applicationId'>) {
  return {
    table: 'oauth_sessions',
    column: 'sealed_verifier',
    rowId: session.id,
    applicationId: session.applicationId,
  }
}
