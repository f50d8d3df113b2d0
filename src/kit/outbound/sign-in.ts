import { isGivenUp } from '../deadline.ts'
import { ProviderError } from '../provider-error.ts'

/** What became of a login at a mail server. */
export type SignInResult =
  | 'ok'
  /** the server refused the user's credentials */
  | 'refused'
  | 'timeout'
  | 'unreachable'
  /** nobody waited for the answer any more */
  | 'cancelled'
  /** anything else: no TLS, throttled, an address that is not allowed */
  | 'failed'

export interface SignIn {
  readonly protocol: 'imap' | 'smtp'
  readonly result: SignInResult
  readonly durationMs: number
}

export type NoteSignIn = (signIn: SignIn) => void

/** Runs a login and tells `note` what became of it. The login's own result or error comes through. */
export async function noteSignIn<T>(
  protocol: SignIn['protocol'],
  note: NoteSignIn | undefined,
  signal: AbortSignal,
  login: () => Promise<T>,
): Promise<T> {
  const startedMs = performance.now()
  const tell = (result: SignInResult) =>
    note?.({ protocol, result, durationMs: performance.now() - startedMs })
  try {
    const session = await login()
    tell('ok')
    return session
  } catch (error) {
    tell(isGivenUp(signal) ? 'cancelled' : resultOf(error))
    throw error
  }
}

function resultOf(error: unknown): SignInResult {
  if (!(error instanceof ProviderError)) return 'failed'
  if (error.kind === 'grant-revoked' || error.kind === 'access-refused') return 'refused'
  if (error.kind === 'timeout') return 'timeout'
  return error.kind === 'unavailable' ? 'unreachable' : 'failed'
}
