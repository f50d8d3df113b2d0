import { isJsonObject, type JsonObject, numberField, parseJson, stringField } from '../kit/json.ts'
import { json } from './reply.ts'
import {
  DEFAULT_SCOPE,
  endConsent,
  type FailMode,
  type FailTarget,
  mintRefreshToken,
  type SandboxState,
  SERVICE_ACCOUNT_EMAIL,
  serviceAccountKeys,
  type TokenCall,
} from './state.ts'
import type { SandboxReply, SandboxRequest } from './types.ts'

const TARGETS: readonly FailTarget[] = ['token', 'api', 'part']
const MODES: readonly FailMode[] = ['503', '429', '404', 'html', 'slow', 'drop-before', 'drop-after']

/** What can be done to the sandbox while it runs; the same as the addresses under `/sandbox/`. */
export interface SandboxControl {
  /** A new consent of that user. @throws RangeError for an unknown address */
  mintRefreshToken(email: string, scope?: readonly string[]): string
  /** The user withdraws every consent: all tokens die. */
  revokeUser(email: string): void
  /** Ends the consent behind one refresh token. */
  revokeToken(refreshToken: string): void
  /** Ends access tokens, of one user or of all, as time would. */
  expireAccessTokens(email?: string): void
  /** Makes the next calls fail. `part`: the next parts of batches. `times: 0` ends all failures of the target. */
  fail(failure: {
    readonly target: FailTarget
    readonly mode: FailMode
    readonly times?: number
    readonly retryAfterSeconds?: number
    readonly delayMs?: number
  }): void
  configure(settings: { readonly strictRotation?: boolean; readonly accessTokenSeconds?: number }): void
  tokenLog(): readonly TokenCall[]
  /** A service account's JSON key, as Google hands it out. */
  serviceAccountKey(): { readonly [field: string]: string }
}

/** Makes the controls of a state. */
export function createControl(state: SandboxState): SandboxControl {
  return {
    mintRefreshToken(email, scope) {
      if (!state.users.has(email)) throw new RangeError(`the sandbox has no user ${email}`)
      return mintRefreshToken(state, { email, scope: scope ?? DEFAULT_SCOPE, revoked: false })
    },
    revokeUser(email) {
      for (const { consent } of state.refreshTokens.values()) {
        if (consent.email === email) endConsent(state, consent)
      }
    },
    revokeToken(refreshToken) {
      const known = state.refreshTokens.get(refreshToken)
      if (known) endConsent(state, known.consent)
    },
    expireAccessTokens(email) {
      for (const access of state.accessTokens.values()) {
        if (email === undefined || access.email === email) access.expiresAtMs = 0
      }
    },
    fail({ target, mode, times, retryAfterSeconds, delayMs }) {
      if (times === 0) {
        state.failures = state.failures.filter((failure) => failure.target !== target)
        return
      }
      state.failures.push({ target, mode, times: times ?? 1, retryAfterSeconds, delayMs: delayMs ?? 1000 })
    },
    configure({ strictRotation, accessTokenSeconds }) {
      if (strictRotation !== undefined) state.strictRotation = strictRotation
      if (accessTokenSeconds !== undefined) state.accessTokenSeconds = accessTokenSeconds
    },
    tokenLog: () => state.tokenLog,
    serviceAccountKey() {
      const { privateKey } = serviceAccountKeys(state)
      return {
        type: 'service_account',
        project_id: 'sandbox-project',
        private_key_id: 'sandbox-key-1',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        client_email: SERVICE_ACCOUNT_EMAIL,
        client_id: '100000000000000000001',
      }
    },
  }
}

/** Answers `/sandbox/…`; undefined for an address it doesn't have. */
export function controlEndpoint(
  state: SandboxState,
  control: SandboxControl,
  request: SandboxRequest,
): SandboxReply | undefined {
  const action = `${request.method} ${request.url.pathname}`
  const parsed = parseJson(request.body || '{}')
  const body: JsonObject = isJsonObject(parsed) ? parsed : {}
  const email = stringField(body, 'email')
  switch (action) {
    case 'POST /sandbox/mint': {
      const scope = stringField(body, 'scope')
        ?.split(/[\s,]+/)
        .filter(Boolean)
      if (email === undefined || !state.users.has(email)) return refuse('email must be one of a sandbox user')
      return json({ refresh_token: control.mintRefreshToken(email, scope), email })
    }
    case 'POST /sandbox/revoke': {
      const token = stringField(body, 'refresh_token')
      if (token !== undefined) control.revokeToken(token)
      else if (email !== undefined) control.revokeUser(email)
      else return refuse('refresh_token or email is required')
      return json({})
    }
    case 'POST /sandbox/expire':
      control.expireAccessTokens(email)
      return json({})
    case 'POST /sandbox/fail': {
      const target = TARGETS.find((one) => one === body['target'])
      const mode = MODES.find((one) => one === body['mode'])
      if (!target || !mode)
        return refuse(`target is one of ${TARGETS.join(', ')}; mode of ${MODES.join(', ')}`)
      const retryAfterSeconds = numberField(body, 'retry_after')
      control.fail({
        target,
        mode,
        times: numberField(body, 'times') ?? 1,
        delayMs: numberField(body, 'delay_ms') ?? 1000,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      })
      return json({})
    }
    case 'POST /sandbox/settings': {
      const strict = body['strict_rotation']
      const seconds = numberField(body, 'access_token_seconds')
      control.configure({
        ...(typeof strict === 'boolean' ? { strictRotation: strict } : {}),
        ...(seconds === undefined ? {} : { accessTokenSeconds: seconds }),
      })
      return json({ strict_rotation: state.strictRotation, access_token_seconds: state.accessTokenSeconds })
    }
    case 'GET /sandbox/log':
      return json({ token_calls: control.tokenLog() })
    case 'GET /sandbox/service-account':
      return json(control.serviceAccountKey())
    default:
      return undefined
  }
}

function refuse(message: string): SandboxReply {
  return json({ error: message }, 400)
}
