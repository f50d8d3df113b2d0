import { LRUCache } from 'lru-cache'
import type { EmailName } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { Clock } from '../../kit/clock.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'
import { at } from './endpoints.ts'
import { objectsIn } from './read-messages.ts'
import { mayReadSendAs } from './scopes.ts'

/** Who a grant may send as. */
export interface SenderAddresses {
  /**
   * Settles From: the grant's own address where none is wanted, with the display name that Gmail knows where the
   * request has none. Without the scope for reading the addresses, what is wanted stays: Gmail then puts the
   * account's own address in the place of one that it may not use.
   *
   * @throws ProviderError `send-as-denied` for an address that is none of the account's, or is not confirmed
   */
  settle(session: GrantSession, api: GoogleApi, wanted: EmailName | undefined): Promise<EmailName>
}

interface KnownAddress {
  readonly email: string
  readonly name: string
  readonly isConfirmed: boolean
}

interface Known {
  readonly readMs: number
  /** undefined: the grant may not read them */
  readonly addresses: readonly KnownAddress[] | undefined
}

const KEPT_MS = 10 * 60_000
const KEPT_GRANTS = 5000

/** Makes the reader of sender addresses; they are kept for ten minutes, and read again before one is denied. */
export function createSenderAddresses(gmailUrl: string, clock: Clock): SenderAddresses {
  const known = new LRUCache<string, Known>({ max: KEPT_GRANTS })

  async function read(session: GrantSession, api: GoogleApi): Promise<Known> {
    const addresses = mayReadSendAs(session.scope) ? await readAddresses(api, gmailUrl) : undefined
    const fresh = { readMs: clock.nowMs(), addresses }
    known.set(session.grantId, fresh)
    return fresh
  }

  return {
    async settle(session, api, wanted) {
      const email = wanted?.email ?? session.email
      const isOwn = isSame(email, session.email)
      if (wanted?.name !== undefined && isOwn) return wanted
      const kept = known.get(session.grantId)
      const isFresh = kept !== undefined && clock.nowMs() - kept.readMs < KEPT_MS
      let { addresses } = isFresh ? kept : await read(session, api)
      const find = () => addresses?.find((one) => isSame(one.email, email) && one.isConfirmed)
      if (isFresh && addresses && !find() && !isOwn) addresses = (await read(session, api)).addresses
      const found = find()
      if (addresses && !found && !isOwn) throw denied(email)
      const name = wanted?.name ?? found?.name
      return name ? { email, name } : { email }
    },
  }
}

async function readAddresses(api: GoogleApi, gmailUrl: string): Promise<readonly KnownAddress[] | undefined> {
  try {
    const answer = await api.getJson(at(gmailUrl, '/gmail/v1/users/me/settings/sendAs'))
    return objectsIn(answer, 'sendAs').flatMap((entry) => {
      const email = stringField(entry, 'sendAsEmail')?.trim()
      if (!email) return []
      // The account's own address has no status (Gmail reference, users.settings.sendAs, checked 2026-11).
      const status = stringField(entry, 'verificationStatus')
      const isConfirmed = entry['isPrimary'] === true || status === undefined || status === 'accepted'
      return [{ email, name: stringField(entry, 'displayName')?.trim() ?? '', isConfirmed }]
    })
  } catch (error) {
    // Whether the scope is there is not always known beforehand, and sending may be allowed without it.
    if (error instanceof ProviderError && error.kind === 'scope-missing') return undefined
    throw error
  }
}

function denied(email: string): ProviderError {
  return new ProviderError('send-as-denied', `This Google account may not send as ${email}.`, {
    answered: true,
    advice: 'Add the address under "Send mail as" in the settings of Gmail, and confirm it there.',
  })
}

function isSame(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase()
}
