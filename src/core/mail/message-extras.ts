import type { RawMessage, WireMessage } from '../../contract/message.ts'
import type { TrackingRequest } from '../../contract/outgoing.ts'
import type { JsonObject } from '../../kit/json.ts'
import { IN_CHARACTERS, type TextForm } from '../../kit/text-form.ts'
import type { MessageFindOptions } from '../ports/mail.ts'
import type { MessageTracking, MetadataKeeper } from '../ports/mail-services.ts'
import type { GrantRecord } from '../ports/records.ts'

/** What a client wants to see of a message. */
export type Shown = Pick<MessageFindOptions, 'fields' | 'select'>

/**
 * Adds to messages what this server keeps about them: metadata, and with `fields=include_tracking_options` how they
 * are tracked. Asks the database only for what will be shown. What is added has the form of the messages' texts.
 */
export function createMessageExtras(deps: {
  readonly metadata: MetadataKeeper
  readonly tracking: Pick<MessageTracking, 'optionsOf'>
}) {
  return async function withExtras(
    grant: GrantRecord,
    messages: readonly (WireMessage | RawMessage)[],
    { fields, select }: Shown,
    form: TextForm = IN_CHARACTERS,
  ): Promise<readonly WireMessage[]> {
    // `raw_mime` is answered with four fields and nothing else (contract/email.md 3.3).
    if (fields === 'raw_mime') return messages
    const ids = messages.flatMap(({ id }) => (id === undefined ? [] : [id]))
    const isShown = (name: string) => ids.length > 0 && (select?.includes(name) ?? true)
    const [metadata, tracking] = await Promise.all([
      isShown('metadata') ? deps.metadata.of(grant, 'message', ids) : undefined,
      fields === 'include_tracking_options' && isShown('tracking_options')
        ? deps.tracking.optionsOf(grant, ids)
        : undefined,
    ])
    if (!tracking && (metadata?.size ?? 0) === 0) return messages
    return messages.map((message) => {
      const kept = metadata?.get(message.id ?? '')
      return {
        ...message,
        ...(tracking ? { tracking_options: trackingOptions(tracking.get(message.id ?? ''), form) } : {}),
        ...(kept ? { metadata: metadataIn(form, kept) } : {}),
      }
    })
  }
}

/** A message that was sent without tracking says so. */
function trackingOptions(
  options: TrackingRequest = {},
  form: TextForm,
): NonNullable<WireMessage['tracking_options']> {
  const { opens = false, thread_replies = false, links = false, label = '' } = options
  return { opens, thread_replies, links, label: form.write(label) }
}

function metadataIn(form: TextForm, metadata: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      form.write(key),
      typeof value === 'string' ? form.write(value) : value,
    ]),
  )
}
