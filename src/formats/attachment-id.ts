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

/** What of an attachment an id of hosted services names. */
interface NamedFile {
  readonly filename: string
  /** with or without parameters */
  readonly content_type: string
  readonly size: number
}

/** The attachments that an id of hosted services fits. */
export interface HostedIdFit<T> {
  /** by name, type and size */
  readonly exact: T | undefined
  /** by name and type: sizes are estimates at some providers */
  readonly named: readonly T[]
}

/**
 * Finds what an id of hosted services names, `v0:` with name, content type and size (contract/email.md 9.3).
 * @returns undefined for an id of another form
 */
export function fitHostedId<T extends NamedFile>(
  id: string,
  attachments: readonly T[],
): HostedIdFit<T> | undefined {
  const [, name, type, size] = /^v0:([^:]*):([^:]*):(\d{1,12})$/.exec(id) ?? []
  if (name === undefined || type === undefined) return undefined
  const text = (base64: string) => Buffer.from(base64, 'base64').toString('utf8')
  const [filename, mediaType] = [text(name), bare(text(type))]
  const named = attachments.filter((one) => one.filename === filename && bare(one.content_type) === mediaType)
  return { exact: named.find((one) => one.size === Number(size)), named }
}

function bare(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
