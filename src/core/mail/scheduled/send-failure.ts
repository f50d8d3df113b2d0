import { AppError } from '../../../kit/app-error.ts'
import { ProviderError } from '../../../kit/provider-error.ts'
import type { GrantSessions } from '../../grants/sessions.ts'

/**
 * What a failure says about the message.
 * - `later`: surely not sent, and another time it may go
 * - `refused`: surely not sent, and it never will be
 * - `unknown`: the provider may have sent it; only looking into the mailbox tells
 */
export type Verdict = 'later' | 'refused' | 'unknown'

/** Remembers which failures came before the provider was asked to send anything. */
export interface SendWatch {
  readonly sessions: GrantSessions
  isUnsent(error: unknown): boolean
}

/** Watches sessions: a grant that is not valid, or whose token is not to be had, sends nothing. */
export function watchSends(sessions: GrantSessions): SendWatch {
  const unsent = new WeakSet<Error>()
  const noted = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof Error) unsent.add(error)
      throw error
    }
  }
  return {
    sessions: {
      async use(grant, context, work) {
        const state = { began: false }
        try {
          return await sessions.use(grant, context, (session) => {
            state.began = true
            return work({
              ...session,
              accessToken: () => noted(session.accessToken()),
              replaceRejected: (rejected) => noted(session.replaceRejected(rejected)),
              secret: () => noted(session.secret()),
            })
          })
        } catch (error) {
          if (!state.began && error instanceof Error) unsent.add(error)
          throw error
        }
      },
    },
    isUnsent: (error) => error instanceof Error && unsent.has(error),
  }
}

/** Statuses of errors that pass: throttled, unreachable, the database away. */
const PASSING: readonly number[] = [429, 503, 504]

/** Judges a failure of sending. Where it is not clear that nothing was sent, it is `unknown`: never sent twice. */
export function judgeFailure(error: unknown, isUnsent: boolean): Verdict {
  const cause = providerErrorOf(error)
  if (isUnsent) {
    if (error instanceof AppError) return PASSING.includes(error.status) ? 'later' : 'refused'
    return 'later'
  }
  if (cause) return judgeProvider(cause)
  return error instanceof AppError && error.status < 500 ? 'refused' : 'unknown'
}

function judgeProvider({ kind, details }: ProviderError): Verdict {
  switch (kind) {
    case 'rate-limited':
    case 'quota-exhausted':
    case 'client-misconfigured':
      return 'later'
    case 'unavailable': {
      const { answered, httpStatus } = details
      // Behind a 5xx that is no plain refusal the request may have been carried out.
      const isRefusal = httpStatus === undefined || httpStatus < 500 || httpStatus === 503
      return answered !== false && isRefusal ? 'later' : 'unknown'
    }
    case 'timeout':
      return details.answered === true ? 'later' : 'unknown'
    case 'malformed-response':
      return 'unknown'
    case 'grant-revoked':
    case 'access-refused':
    case 'scope-missing':
    case 'not-found':
    case 'conflict':
    case 'invalid-request':
    case 'rejected':
    case 'send-as-denied':
    case 'too-large':
    case 'mailbox-full':
    case 'unsupported':
      return 'refused'
  }
}

function providerErrorOf(error: unknown): ProviderError | undefined {
  if (error instanceof ProviderError) return error
  return error instanceof Error && error.cause instanceof ProviderError ? error.cause : undefined
}

const FIRST_WAIT_MS = 30_000
const LONGEST_WAIT_MS = 10 * 60_000
/** From the first try on. */
export const PATIENCE_MS = 2 * 60 * 60_000

/**
 * When to try again: after half a minute, then twice as long each time, at most ten minutes, or when the provider says.
 * @returns null when that is later than two hours after the first try
 */
export function nextTryInMs(
  error: unknown,
  tried: { readonly attempts: number; readonly forMs: number },
): number | null {
  const asked = error instanceof AppError ? (error.extras.retryAfterSeconds ?? 0) * 1000 : 0
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tried.attempts - 1, 10), LONGEST_WAIT_MS)
  const afterMs = Math.max(asked, waitMs)
  return tried.forMs + afterMs > PATIENCE_MS ? null : afterMs
}
