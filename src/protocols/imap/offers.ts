import type { ImapSession } from './open-session.ts'

/**
 * Tells whether the server offers an extension that IMAP4rev2 made part of the protocol.
 * @see RFC 9051 appendix E
 */
export function offers(session: ImapSession, extension: 'MOVE' | 'UIDPLUS'): boolean {
  const { capabilities, enabled } = session
  const isRev2 = enabled.has('IMAP4REV2') || (capabilities.has('IMAP4rev2') && !capabilities.has('IMAP4rev1'))
  return isRev2 || capabilities.has(extension)
}
