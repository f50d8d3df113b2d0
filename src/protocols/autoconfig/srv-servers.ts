import type { DetectedServer, DetectedServers } from './client-config.ts'
import type { MailDns, SrvRecord } from './dns.ts'
import { isPort, readHostName } from './host-name.ts'

/** Preferred first: TLS from the first byte (RFC 8314 section 5.1), then STARTTLS (RFC 6186 section 3). */
const SERVICES = {
  imap: [
    ['_imaps._tcp', 'implicit'],
    ['_imap._tcp', 'starttls'],
  ],
  smtp: [
    ['_submissions._tcp', 'implicit'],
    ['_submission._tcp', 'starttls'],
  ],
} as const satisfies { readonly [protocol: string]: readonly (readonly [string, DetectedServer['tls']])[] }

/** Finds mail servers by SRV records. @returns null where there are none @throws ProviderError */
export async function serversBySrv(
  dns: MailDns,
  domain: string,
  signal: AbortSignal,
): Promise<DetectedServers | null> {
  const [imap, smtp] = await Promise.all([
    find(dns, domain, SERVICES.imap, signal),
    find(dns, domain, SERVICES.smtp, signal),
  ])
  return imap || smtp ? { ...(imap ? { imap } : {}), ...(smtp ? { smtp } : {}) } : null
}

async function find(
  dns: MailDns,
  domain: string,
  services: readonly (readonly [string, DetectedServer['tls']])[],
  signal: AbortSignal,
): Promise<DetectedServer | undefined> {
  const answers = await Promise.all(
    services.map(async ([service, tls]) => {
      const [best] = (await dns.srv(`${service}.${domain}`, signal)).toSorted(byPreference)
      // A target of "." says that the service is not offered (RFC 2782); it is no host name.
      const host = best && readHostName(best.name)
      return best && host && isPort(best.port) ? { host, port: best.port, tls } : undefined
    }),
  )
  return answers.find((server) => server !== undefined)
}

function byPreference(one: SrvRecord, other: SrvRecord): number {
  return one.priority - other.priority || other.weight - one.weight
}
