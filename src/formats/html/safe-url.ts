const LINK_SCHEMES = ['http:', 'https:', 'mailto:', 'tel:']
const IMAGE_SCHEMES = ['http:', 'https:', 'cid:']
const MAX_URL = 4096

/**
 * Gives the address of a link if its scheme is harmless, written so that it can't end a Markdown link, an attribute or a
 * line. Relative addresses have no meaning in mail.
 */
export function safeLink(url: string): string | undefined {
  return checked(url, LINK_SCHEMES)
}

/** The same for images. */
export function safeImage(url: string): string | undefined {
  return checked(url, IMAGE_SCHEMES)
}

function checked(url: string, schemes: readonly string[]): string | undefined {
  if (url.length > MAX_URL) return undefined
  const parsed = URL.parse(url.trim())
  if (!parsed || !schemes.includes(parsed.protocol)) return undefined
  // The parser has taken out tabs and line breaks; opaque paths (mailto, cid) keep the rest as it came.
  return parsed.href.replace(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\s<>"'()[\]\\`{}|^\u0000-\u001f\u007f-\u009f]/g,
    (char) =>
      `%${Buffer.from(char)
        .toString('hex')
        .toUpperCase()
        .replace(/(..)(?=.)/g, '$1%')}`,
  )
}
