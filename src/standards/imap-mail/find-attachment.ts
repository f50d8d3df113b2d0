import type { Attachment } from '../../contract/message.ts'
import { fitHostedId } from '../../formats/attachment-id.ts'

/**
 * Finds an attachment of a message by its id: ours, or the form hosted services used, `v0:` with name, content type
 * and size (contract/email.md 9.3). With that one the size decides only where name and type fit several.
 *
 * @returns its position; -1 where there is none
 */
export function findAttachment(attachments: readonly Attachment[], id: string): number {
  const fit = fitHostedId(id, attachments)
  if (!fit) return attachments.findIndex((entry) => entry.id === id)
  const found = fit.exact ?? (fit.named.length === 1 ? fit.named[0] : undefined)
  return found === undefined ? -1 : attachments.indexOf(found)
}
