import type { ProviderName } from '../../contract/providers.ts'
import type { SignIn } from '../../kit/outbound/sign-in.ts'

/** What became of a refresh that was sent. */
export type RefreshResult =
  /** new tokens stored, the refresh token as before, or a new one */
  | 'kept'
  | 'rotated'
  /** the provider refused for good: the grant is invalid */
  | 'refused'
  /** the provider refuses the connector's own credentials */
  | 'misconfigured'
  /** the provider failed, throttled, or was unreachable */
  | 'failed'
  /** no answer came: the token may be spent */
  | 'unanswered'

/** Where core, jobs and the outside report what is worth counting. Never a grant id, never an address. */
export interface Telemetry {
  refreshed(event: {
    readonly provider: ProviderName
    readonly result: RefreshResult
    readonly durationMs: number
  }): void
  /** A caller waited for another process's refresh. */
  waitedForLease(event: { readonly provider: ProviderName; readonly durationMs: number }): void
  /** `status` is an HTTP status, or why none came; `cancelled`: nobody waited for it any more. */
  calledProvider(event: {
    readonly provider: ProviderName
    readonly status: number | 'timeout' | 'unreachable' | 'cancelled'
    readonly durationMs: number
  }): void
  /** A login at a mail server (IMAP, SMTP). */
  signedIn(event: SignIn & { readonly provider: ProviderName }): void
  /** What became of a scheduled message that was due; `unknown`: the provider may have taken it. */
  scheduledSend(event: { readonly result: 'sent' | 'retried' | 'failed' | 'unknown' }): void
  /** One delivery attempt; `lagMs` since the event was written. */
  delivered(event: {
    readonly result: 'delivered' | 'retried' | 'dead'
    readonly status: number | 'timeout' | 'unreachable'
    readonly durationMs: number
    readonly lagMs: number
  }): void
}

const ignore = () => {}

/** Counts nothing. */
export const silentTelemetry: Telemetry = {
  refreshed: ignore,
  waitedForLease: ignore,
  calledProvider: ignore,
  signedIn: ignore,
  scheduledSend: ignore,
  delivered: ignore,
}
