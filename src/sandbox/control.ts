import { receiveMail } from './gmail/accept-mail.ts'
import type { Mailbox } from './gmail/mailbox.ts'
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
  configure(settings: {
    readonly strictRotation?: boolean
    readonly accessTokenSeconds?: number
    /** Message-IDs of what is sent are replaced, as Gmail may do. */
    readonly replacesMessageIds?: boolean
    /** Gmail's quota of each user; 0: none */
    readonly unitsPerMinute?: number
  }): void
  /** Page tokens given so far are refused. */
  expirePageTokens(): void
  /** New mail comes in. @returns its id. @throws RangeError for an unknown address */
  deliver(email: string, source: string | Uint8Array): string
  /** Another sender address, confirmed or not. @throws RangeError for an unknown user */
  addSendAs(
    email: string,
    alias: { readonly email: string; readonly displayName?: string; readonly isVerified: boolean },
  ): void
  /** What a user's calls to Gmail were and cost since the start. */
  spent(email: string): { readonly requests: number; readonly units: number }
  tokenLog(): readonly TokenCall[]
  /** A service account's JSON key, as Google hands it out. */
  serviceAccountKey(): { readonly [field: string]: string }
}

/** Makes the controls of a state. */
export function createControl(state: SandboxState): SandboxControl {
  const mailboxOf = (email: string): Mailbox => {
    const user = state.users.get(email)
    if (!user) throw new RangeError(`the sandbox has no user ${email}`)
    return user.mailbox
  }
  return {
    mintRefreshToken(email, scope) {
      mailboxOf(email)
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
    configure({ strictRotation, accessTokenSeconds, replacesMessageIds, unitsPerMinute }) {
      if (replacesMessageIds !== undefined) state.replacesMessageIds = replacesMessageIds
      if (unitsPerMinute !== undefined) state.unitsPerMinute = unitsPerMinute || undefined
      if (strictRotation !== undefined) state.strictRotation = strictRotation
      if (accessTokenSeconds !== undefined) state.accessTokenSeconds = accessTokenSeconds
    },
    expirePageTokens() {
      state.pageGeneration += 1
    },
    deliver: (email, source) => receiveMail(mailboxOf(email), Buffer.from(source)).id,
    addSendAs(email, { email: alias, displayName, isVerified }) {
      const mailbox = mailboxOf(email)
      mailbox.sendAs = [...mailbox.sendAs, { email: alias, displayName: displayName ?? '', isVerified }]
    },
    spent(email) {
      const { requests, units } = state.spent.get(email) ?? { requests: 0, units: 0 }
      return { requests, units }
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
