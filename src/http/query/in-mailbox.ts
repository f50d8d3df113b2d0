import { Type } from 'typebox'
import type { InMailbox } from '../../core/ports/mail.ts'

/** `shared_from`: the address of a shared mailbox, or the id of its owner's grant (Microsoft only). */
export const SharedFrom = Type.Optional(
  Type.String({ maxLength: 320, description: 'Address of a shared mailbox, or the id of a grant of it' }),
)

/** Reads whose mailbox a request is about. */
export function readMailbox({ shared_from }: { readonly shared_from?: string }): InMailbox {
  return shared_from === undefined ? {} : { sharedFrom: shared_from }
}
