import type { TrackingRequest } from '../../../contract/outgoing.ts'
import type { PreparedMessage } from '../../ports/mail-services.ts'
import type { OutgoingMessage } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { invalidField } from './field-checks.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'

/**
 * Reads `tracking_options`.
 * @returns undefined where nothing is to be tracked
 * @throws AppError 400
 */
export function readTracking(options: TrackingRequest | undefined): TrackingRequest | undefined {
  if (!options) return undefined
  const tracksBody = options.opens === true || options.links === true
  if (options.domain_name !== undefined && !tracksBody) {
    throw invalidField('tracking_options.domain_name needs links or opens')
  }
  return tracksBody || options.thread_replies === true ? options : undefined
}

/**
 * Merges a draft's new `tracking_options` into those it has: only given keys change, `domain_name` is inherited, and
 * without opens and links there is none (contract/email.md 8).
 * @returns undefined where nothing is tracked any more
 */
export function mergeTracking(
  known: TrackingRequest | undefined,
  change: TrackingRequest,
): TrackingRequest | undefined {
  const { domain_name: domain, ...merged }: TrackingRequest = { ...known, ...change }
  const tracksBody = merged.opens === true || merged.links === true
  if (!tracksBody && change.domain_name !== undefined) return readTracking(change)
  return readTracking(tracksBody && domain !== undefined ? { ...merged, domain_name: domain } : merged)
}

/** Puts tracking into the body of a message, where it is asked for. @throws AppError 400 */
export async function withTracking(
  deps: Pick<OutgoingDeps, 'tracking'>,
  grant: GrantRecord,
  message: OutgoingMessage,
  options: TrackingRequest | undefined,
): Promise<Pick<PreparedMessage, 'message' | 'tracking'>> {
  if (!options) return { message }
  const { body, tracking } = await deps.tracking.prepare(grant, message, options)
  return { message: { ...message, body }, ...(tracking ? { tracking } : {}) }
}
