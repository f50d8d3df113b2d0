/**
 * A node of a message's MIME tree, as BODYSTRUCTURE tells it (RFC 9051 section 7.5.2) or as `parseMessage`
 * finds it. Types, encodings and dispositions are lower case; parameters are decoded (RFC 2047, RFC 2231).
 */
export interface MimePart {
  /** `1`, `1.2`; absent on a root */
  readonly part?: string | undefined
  readonly type: string
  readonly parameters?: { readonly [name: string]: string } | undefined
  /** Content-ID as written */
  readonly id?: string | undefined
  /** Content-Transfer-Encoding */
  readonly encoding?: string | undefined
  /** bytes as transferred, that is encoded */
  readonly size?: number | undefined
  readonly disposition?: string | undefined
  readonly dispositionParameters?: { readonly [name: string]: string } | undefined
  readonly childNodes?: readonly MimePart[] | undefined
}

/** The name of the file in a part: of Content-Disposition, else of Content-Type. */
export function fileNameOf(part: MimePart): string | undefined {
  const name = part.dispositionParameters?.['filename'] ?? part.parameters?.['name']
  return name === undefined || name.trim() === '' ? undefined : name
}
