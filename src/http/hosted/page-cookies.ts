/** A cookie of these pages. */
export interface PageCookie {
  /** Reads the value of a Cookie header; null where there is none, or none of ours. */
  read(header: string | undefined): string | null
  /** The Set-Cookie header for a value. */
  write(value: string): string
  /** The Set-Cookie header that takes it away. */
  clear(): string
}

/** 32 random bytes as base64url. */
const SECRET = /^[A-Za-z0-9_-]{43}$/
const SIGNED_TEXT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/
/** As long as a redirect may take. */
const LEFT_BEHIND_SECONDS = 60

/**
 * Makes the cookies for the address that browsers use. With https their names have the prefix `__Host-` (RFC 6265bis
 * section 4.1.3.2): no other host, neighbouring or not, can set them. Lax, not Strict: they must come along when a
 * provider sends the browser back.
 */
export function createPageCookies(isHttps: boolean, basePath: string) {
  const make = (name: string, pattern: RegExp, life: string): PageCookie => {
    const fullName = isHttps ? `__Host-${name}` : name
    const attributes = isHttps
      ? 'Path=/; Secure; HttpOnly; SameSite=Lax'
      : `Path=${basePath}/v3/connect; HttpOnly; SameSite=Lax`
    return {
      read: (header) => valueOf(header ?? '', fullName, pattern),
      write: (value) => `${fullName}=${value}; ${attributes}${life}`,
      clear: () => `${fullName}=; ${attributes}; Max-Age=0`,
    }
  }
  return {
    /** Binds sessions to one browser; all of its sessions share it. Ends with the browser. */
    secret: make('gw', SECRET, ''),
    /** What a form has left behind for the page after it. */
    leftBehind: make('gw-form', SIGNED_TEXT, `; Max-Age=${LEFT_BEHIND_SECONDS}`),
  }
}

function valueOf(header: string, name: string, pattern: RegExp): string | null {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at < 0 || pair.slice(0, at).trim() !== name) continue
    const value = pair.slice(at + 1).trim()
    if (pattern.test(value)) return value
  }
  return null
}
