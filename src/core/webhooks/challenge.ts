import type { Ids } from '../../kit/ids.ts'
import type { HttpClient } from '../../kit/outbound/http-client.ts'
import { callReceiver } from './call-receiver.ts'
import { invalidWebhook } from './webhook-input.ts'

export interface ChallengeDeps {
  /** through the egress guard, without following redirects */
  readonly userHosts: HttpClient
  readonly ids: Ids
  /** for the whole answer; 10 s (contract/webhooks.md 2) when left out */
  readonly challengeTimeoutMs?: number
}

const TIMEOUT_MS = 10_000
const CHALLENGE_BYTES = 24
const MAX_ANSWER_BYTES = 4096
const FAILURE = 'unable.verify.webhook_url'

/**
 * Asks the receiver to prove that it wants notifications: `GET url?challenge=…`, answered by 200 and exactly that
 * value. Unsigned; what it answers otherwise is not repeated.
 *
 * @throws AppError `webhook.invalid` with the status that came, or why none did
 */
export async function challengeReceiver(
  deps: ChallengeDeps,
  url: string,
  signal: AbortSignal,
): Promise<void> {
  const challenge = deps.ids.token(CHALLENGE_BYTES)
  const { status, body } = await callReceiver(
    deps.userHosts,
    {
      method: 'GET',
      // Appended as text: a parsed query would be written anew, perhaps otherwise than the receiver knows it.
      url: `${url}${url.includes('?') ? '&' : '?'}challenge=${challenge}`,
      signal,
      timeoutMs: deps.challengeTimeoutMs ?? TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    },
    FAILURE,
  )
  if (status !== 200)
    throw invalidWebhook(`${FAILURE}: it answered the challenge with status ${status}, not 200`)
  if (!body.equals(Buffer.from(challenge))) {
    throw invalidWebhook(`${FAILURE}: it answered status 200, but its body is not exactly the challenge`)
  }
}
