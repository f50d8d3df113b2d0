import type { DetectedServer } from './autoconfig.ts'

interface KnownService {
  readonly imap: DetectedServer
  readonly smtp: DetectedServer
}

const service = (imapHost: string, smtpHost: string, smtpPort: 465 | 587): KnownService => ({
  imap: { host: imapHost, port: 993, tls: 'implicit' },
  smtp: { host: smtpHost, port: smtpPort, tls: smtpPort === 465 ? 'implicit' : 'starttls' },
})

/**
 * Servers of services that `settings.type` may name, as their own help pages give them (checked 2026-11). All of
 * them want an app password here.
 */
export const KNOWN_SERVICES: { readonly [type: string]: KnownService } = {
  yahoo: service('imap.mail.yahoo.com', 'smtp.mail.yahoo.com', 465),
  aol: service('imap.aol.com', 'smtp.aol.com', 465),
  icloud: service('imap.mail.me.com', 'smtp.mail.me.com', 587),
  gmail: service('imap.gmail.com', 'smtp.gmail.com', 465),
  fastmail: service('imap.fastmail.com', 'smtp.fastmail.com', 465),
  zoho: service('imap.zoho.com', 'smtp.zoho.com', 465),
}
