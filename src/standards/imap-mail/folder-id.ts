const PLAIN = /^[A-Za-z0-9._-]+$/
const PREFIX = 'f.'

/**
 * Makes the public id of a folder: its path where that is URL-safe, else `f.` and the path as base64url
 * (contract/email.md 14.1).
 */
export function encodeFolderId(path: string): string {
  if (PLAIN.test(path) && !path.startsWith(PREFIX)) return path
  return PREFIX + Buffer.from(path, 'utf8').toString('base64url')
}

/** Reads an id, or a raw path, into the path; undefined for what can be neither. */
export function decodeFolderId(id: string): string | undefined {
  if (id.startsWith(PREFIX)) {
    const path = Buffer.from(id.slice(PREFIX.length), 'base64url').toString('utf8')
    if (path !== '' && encodeFolderId(path) === id) return isPath(path) ? path : undefined
  }
  // IMAP takes INBOX in any capitals; as an id only the one form counts, so that keywords are refused.
  if (id.toUpperCase() === 'INBOX' && id !== 'INBOX') return undefined
  return isPath(id) ? id : undefined
}

function isPath(text: string): boolean {
  const hasControls = Array.from(text).some((character) => character < ' ' || character === '\x7f')
  return text !== '' && text.length <= 1024 && !hasControls
}
