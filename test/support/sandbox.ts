import { grantId } from '../../src/contract/ids.ts'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { GrantSecret, ProviderClient, Tokens } from '../../src/core/ports/identity.ts'
import type { Clock } from '../../src/kit/clock.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { Secret } from '../../src/kit/secret.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import type { GoogleEndpoints } from '../../src/providers/google/endpoints.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { createRequestValidator, type RequestValidator } from './request-validator.ts'

export interface GoogleWorld {
  readonly sandbox: Sandbox
  readonly google: ProviderModule
  readonly validator: RequestValidator
  /** A session of a mailbox; tokens come from the sandbox through the provider's own exchange. */
  session(refreshToken: string, options?: { readonly signal?: AbortSignal }): TestSession
  stop(): Promise<void>
}

export interface TestSession extends GrantSession {
  /** How often another token was asked for. */
  replaced(): number
  /** What the session was told of its calls. */
  spent(): { readonly requests: number; readonly units: number }
}

export const SANDBOX_CLIENT: ProviderClient = {
  credentialType: 'connector',
  clientId: 'sandbox-client-id',
  clientSecret: new Secret('sandbox-client-secret'),
  data: {},
}

/** Endpoints that all lie at one base address, as the sandbox and the emulator have them. */
export function endpointsAt(base: string, more: Partial<GoogleEndpoints> = {}): GoogleEndpoints {
  return {
    authorizeUrl: `${base}/o/oauth2/v2/auth`,
    tokenUrl: `${base}/token`,
    revokeUrl: `${base}/revoke`,
    userinfoUrl: `${base}/v1/userinfo`,
    gmailUrl: base,
    calendarUrl: base,
    peopleUrl: base,
    adminUrl: base,
    pubsubUrl: base,
    ...more,
  }
}

/** Starts the sandbox with a Google provider pointed at it, every request judged by the validator. */
export async function startGoogleWorld(clock: Clock = systemClock): Promise<GoogleWorld> {
  const validator = createRequestValidator()
  const sandbox = await startSandbox({ host: '127.0.0.1', onRequest: validator.onRequest })
  const http = createHttpClient()
  const google = createGoogle({ endpoints: endpointsAt(sandbox.url), http, clock })
  return {
    sandbox,
    google,
    validator,
    session: (refreshToken, options) => createSession(google, refreshToken, options?.signal),
    async stop() {
      await http.close()
      await sandbox.stop()
    },
  }
}

/** A session that keeps its token in memory, as core does in the vault. */
export function createSession(
  google: ProviderModule,
  refreshToken: string,
  signal: AbortSignal = new AbortController().signal,
  client: ProviderClient = SANDBOX_CLIENT,
): TestSession {
  const secret: GrantSecret = { kind: 'refresh-token', refreshToken: new Secret(refreshToken) }
  let tokens: Tokens | undefined
  let replacements = 0
  let requests = 0
  let units = 0
  const renew = async () => {
    if (!google.identity.exchange) throw new Error('google exchanges')
    tokens = await google.identity.exchange({ client, secret, scope: [], signal })
    return tokens.accessToken
  }
  return {
    grantId: grantId('grant-1'),
    email: 'ada@sandbox.example',
    scope: [],
    settings: {},
    signal,
    log: silentLogger,
    spend(call) {
      requests += call.requests
      units += call.gmailUnits ?? 0
    },
    accessToken: async () => tokens?.accessToken ?? renew(),
    replaceRejected() {
      replacements += 1
      return renew()
    },
    secret: () => Promise.resolve(secret),
    replaced: () => replacements,
    spent: () => ({ requests, units }),
  }
}
