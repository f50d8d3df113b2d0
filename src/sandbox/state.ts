import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { createMailbox, type Mailbox } from './gmail/mailbox.ts'
import type { SeedUser } from './types.ts'

export const SANDBOX_CLIENT_ID = 'sandbox-client-id'
export const SANDBOX_CLIENT_SECRET = 'sandbox-client-secret'
export const SERVICE_ACCOUNT_EMAIL = 'grantway@sandbox-project.iam.gserviceaccount.com'

export const DEFAULT_SCOPE: readonly string[] = [
  'openid',
  'https://www.googleapis.com/auth/userinfo.email',
  'https://www.googleapis.com/auth/userinfo.profile',
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/calendar',
  'https://www.googleapis.com/auth/contacts',
]

/** One consent of a user: its refresh tokens live and die together. */
export interface Consent {
  readonly email: string
  readonly scope: readonly string[]
  revoked: boolean
}

export interface AccessToken {
  readonly email: string
  readonly scope: readonly string[]
  readonly consent: Consent | null
  expiresAtMs: number
}

/** `send`: messages.send and drafts.send alone; `part`: calls inside a batch. */
export const FAIL_TARGETS = ['token', 'api', 'send', 'part'] as const
export type FailTarget = (typeof FAIL_TARGETS)[number]
/** `403`: a throttle in its older form; `send-limit`: the daily limit of sending, which ends in `retryAfterSeconds` */
export const FAIL_MODES = [
  '503',
  '429',
  '403',
  '404',
  'send-limit',
  'html',
  'slow',
  'drop-before',
  'drop-after',
] as const
export type FailMode = (typeof FAIL_MODES)[number]

export interface Failure {
  readonly target: FailTarget
  readonly mode: FailMode
  times: number
  readonly retryAfterSeconds: number | undefined
  readonly delayMs: number
}

export interface TokenCall {
  readonly grantType: string
  readonly refreshToken: string | null
  readonly status: number
  readonly error: string | null
}

export interface SandboxUser extends SeedUser {
  readonly mailbox: Mailbox
}

/** What a user's Gmail calls have cost; a batch is one request, its parts cost units. */
export interface Spending {
  requests: number
  units: number
  /** inside the last minute, as far as they were let through */
  recent: readonly { readonly atMs: number; readonly units: number }[]
}

/** All that changes while the sandbox runs. */
export interface SandboxState {
  readonly users: ReadonlyMap<string, SandboxUser>
  readonly spent: Map<string, Spending>
  readonly refreshTokens: Map<string, { readonly consent: Consent; used: boolean }>
  readonly accessTokens: Map<string, AccessToken>
  readonly tokenLog: TokenCall[]
  failures: Failure[]
  strictRotation: boolean
  accessTokenSeconds: number
  /** Gmail may replace the Message-ID of what is sent (public reports, checked 2026-11). */
  replacesMessageIds: boolean
  /** Gmail's quota per user; undefined: none */
  unitsPerMinute: number | undefined
  /** Page tokens of an earlier generation have expired. */
  pageGeneration: number
  serviceAccount: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } | undefined
}

/** Makes the state over seeded users; each gets the refresh token `sandbox-refresh-token-<name>`. */
export function createState(users: readonly SeedUser[]): SandboxState {
  const state: SandboxState = {
    users: new Map(users.map((user) => [user.email, { ...user, mailbox: createMailbox(user) }])),
    spent: new Map(),
    refreshTokens: new Map(),
    accessTokens: new Map(),
    tokenLog: [],
    failures: [],
    strictRotation: false,
    accessTokenSeconds: 3599,
    replacesMessageIds: false,
    unitsPerMinute: undefined,
    pageGeneration: 1,
    serviceAccount: undefined,
  }
  for (const { email } of users) {
    const consent: Consent = { email, scope: DEFAULT_SCOPE, revoked: false }
    state.refreshTokens.set(`sandbox-refresh-token-${email.split('@')[0]}`, { consent, used: false })
  }
  return state
}

export function mintRefreshToken(state: SandboxState, consent: Consent): string {
  const token = `1//sandbox-${randomBytes(24).toString('base64url')}`
  state.refreshTokens.set(token, { consent, used: false })
  return token
}

export function mintAccessToken(state: SandboxState, of: Omit<AccessToken, 'expiresAtMs'>): string {
  const token = `ya29.sandbox-${randomBytes(24).toString('base64url')}`
  state.accessTokens.set(token, { ...of, expiresAtMs: Date.now() + state.accessTokenSeconds * 1000 })
  return token
}

/** Ends a consent: its refresh tokens and access tokens are dead. */
export function endConsent(state: SandboxState, consent: Consent): void {
  consent.revoked = true
  for (const [token, access] of state.accessTokens) {
    if (access.consent === consent) state.accessTokens.delete(token)
  }
}

/** The next failure set for a target, counted down. */
export function takeFailure(state: SandboxState, target: FailTarget): Failure | undefined {
  const failure = state.failures.find((one) => one.target === target && one.times > 0)
  if (failure) failure.times -= 1
  state.failures = state.failures.filter((one) => one.times > 0)
  return failure
}

/** The key pair of the service account, made when it is first needed. */
export function serviceAccountKeys(state: SandboxState) {
  state.serviceAccount ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return state.serviceAccount
}
