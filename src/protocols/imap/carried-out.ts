import { ProviderError } from '../../kit/provider-error.ts'
import { toImapError } from './errors.ts'
import type { ImapSession } from './open-session.ts'

/**
 * Runs a command that imapflow answers with `false` or nothing when it fails (SEARCH, STORE, COPY, MOVE, EXPUNGE,
 * APPEND, SUBSCRIBE), and makes of that what the server said.
 * @throws ProviderError; `unsupported` where imapflow itself saw nothing to do, such as a flag the folder can't keep
 */
export async function carriedOut<T>(
  session: ImapSession,
  command: () => Promise<T | false | undefined>,
): Promise<T> {
  session.takeRefusal()
  const outcome = await command()
  if (outcome !== false && outcome !== undefined) return outcome
  const refusal = session.takeRefusal()
  if (refusal !== undefined) throw toImapError(refusal)
  throw new ProviderError('unsupported', 'The mail server can not do that with this message or folder.')
}
