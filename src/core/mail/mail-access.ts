import { appError } from '../../contract/errors.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { Mail, MailFacts, Page } from '../ports/mail.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Vault } from '../ports/vault.ts'
import { type CursorScope, decodeCursor, encodeCursor } from './cursor.ts'

/** What the use-cases of mail share: the provider's capabilities, and cursors. */
export interface MailAccess {
  /**
   * Gives what a grant's provider can do with mail.
   * @param doing  what the client wants, for the message: `change messages`
   * @throws AppError 400 where the provider can't
   */
  capability<K extends keyof Mail>(grant: GrantRecord, name: K, doing: string): NonNullable<Mail[K]>
  /** What is particular about the provider's mail, where it says so. */
  facts(grant: GrantRecord): MailFacts | undefined
  /** @throws AppError 400 for a token of another list */
  openToken(scope: CursorScope, pageToken: string | undefined): { readonly cursor?: string }
  /** Wraps the provider's cursor for the client. */
  wrapped<T>(scope: CursorScope, page: Page<T>): Page<T>
}

export function createMailAccess(deps: {
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly vault: Vault
}): MailAccess {
  return {
    capability(grant, name, doing) {
      const mail = deps.providers.get(grant.provider)?.mail
      if (!mail) throw appError('api.invalid_request_error', `A ${grant.provider} grant has no mail.`)
      const capability = mail[name]
      if (capability !== undefined) return capability
      throw appError('api.invalid_request_error', `A ${grant.provider} grant cannot ${doing}.`)
    },
    facts: (grant) => deps.providers.get(grant.provider)?.mail?.facts,
    openToken: (scope, pageToken) =>
      pageToken === undefined ? {} : { cursor: decodeCursor(deps.vault, scope, pageToken) },
    wrapped: (scope, { items, nextCursor }) =>
      nextCursor === undefined
        ? { items }
        : { items, nextCursor: encodeCursor(deps.vault, scope, nextCursor) },
  }
}
