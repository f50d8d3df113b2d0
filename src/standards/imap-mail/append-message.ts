import { ProviderError } from '../../kit/provider-error.ts'
import { toImapError } from '../../protocols/imap/errors.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'

/** A message to store. */
export interface AppendedMessage {
  readonly source: Uint8Array
  readonly flags: readonly string[]
  /** Unix seconds: its INTERNALDATE */
  readonly date: number
}

/**
 * Stores a message in a folder.
 *
 * @returns its UID where the server tells it (UIDPLUS)
 * @throws ProviderError `mailbox-full`, `too-large`, `not-found` when the folder is gone
 * @see RFC 9051 section 6.3.12, RFC 4315, RFC 7889 (APPENDLIMIT), RFC 9208 (OVERQUOTA)
 */
export async function appendMessage(
  client: ImapSession,
  path: string,
  { source, flags, date }: AppendedMessage,
): Promise<number | undefined> {
  try {
    const stored = await client.append(path, Buffer.from(source), [...flags], new Date(date * 1000))
    if (!stored) throw new ProviderError('unavailable', 'The mail server did not store the message.')
    return stored.uid
  } catch (error) {
    throw storeFailure(toImapError(error), error)
  }
}

function storeFailure(failure: ProviderError, error: unknown): ProviderError {
  const code =
    typeof error === 'object' && error !== null && 'serverResponseCode' in error
      ? error.serverResponseCode
      : ''
  if (failure.kind === 'quota-exhausted' || /quota|mailbox is full/i.test(textOf(failure))) {
    return new ProviderError('mailbox-full', 'The mailbox is full.', failure.details)
  }
  // RFC 7889: more than the server takes at once. RFC 4469 calls it TOOBIG.
  if (code === 'APPENDLIMIT' || code === 'TOOBIG') {
    return new ProviderError(
      'too-large',
      'The mail server does not store messages of that size.',
      failure.details,
    )
  }
  return failure
}

function textOf({ details }: ProviderError): string {
  const text = details.providerBody?.['message']
  return typeof text === 'string' ? text : ''
}
