import type { Attachment } from '../../contract/message.ts'

/**
 * Finds an attachment of a message by its id: ours, or the form hosted services used, `v0:` with name, content type
 * and size (contract/email.md 9.3). With that one the size decides only where name and type fit several.
 *
 * @returns its position; -1 where there is none
 */
export function findAttachment(attachments: readonly Attachment[], id: string): number {
  const [, name, type, size] = /^v0:([^:]*):([^:]*):(\d+)$/.exec(id) ?? []
  if (name === undefined || type === undefined) return attachments.findIndex((entry) => entry.id === id)
  const wantedName = decoded(name)
  const wantedType = mediaType(decoded(type))
  const fitting = attachments.flatMap((entry, at) =>
    entry.filename === wantedName && mediaType(entry.content_type) === wantedType ? [at] : [],
  )
  return (
    fitting.find((at) => attachments[at]?.size === Number(size)) ??
    (fitting.length === 1 ? (fitting[0] ?? -1) : -1)
  )
}

/** Base64 in either alphabet. */
function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}

function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
