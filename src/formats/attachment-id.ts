/** What an attachment id tells: where the part stands in the message, and how large it is. */
export interface AttachmentPlace {
  /** The provider's part path or attachment id: `2`, `1.2`, `AAMk…`. */
  readonly part: string
  readonly sizeBytes: number
}

const PREFIX = 'a0.'

/**
 * Makes the public id of an attachment: URL-safe, the same each time (contract/email.md 9.3). Gmail's own ids
 * change with each fetch and can't be used.
 */
export function encodeAttachmentId(place: AttachmentPlace): string {
  return PREFIX + Buffer.from(`${place.part}:${place.sizeBytes}`).toString('base64url')
}

/** Reads an id made by `encodeAttachmentId`; `undefined` for anything else. */
export function decodeAttachmentId(id: string): AttachmentPlace | undefined {
  if (!id.startsWith(PREFIX)) return undefined
  const match = /^(.+):(\d+)$/s.exec(Buffer.from(id.slice(PREFIX.length), 'base64url').toString('utf8'))
  const [, part, size] = match ?? []
  return part === undefined || size === undefined ? undefined : { part, sizeBytes: Number(size) }
}
