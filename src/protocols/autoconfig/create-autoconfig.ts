import { domainOf } from '../../formats/addresses.ts'
import { withDeadline } from '../../kit/deadline.ts'
import type { HttpClient } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { DetectedServers } from './client-config.ts'
import type { MailDns } from './dns.ts'
import { readHostName } from './host-name.ts'
import { serversBySrv } from './srv-servers.ts'

/** Finds out about mail domains. */
export interface Autoconfig {
  /**
   * Finds the mail servers of an address's domain: by its own autoconfiguration, by the operator's database, by
   * SRV records; the first of these that knows something counts.
   * @returns null where nobody knows, or nobody answered in time
   */
  servers(email: string, signal: AbortSignal): Promise<DetectedServers | null>
  /** The hosts that take mail for a domain, most preferred first; empty where DNS has none. @throws ProviderError */
  mxHosts(domain: string, signal: AbortSignal): Promise<readonly string[]>
}

export interface AutoconfigDeps {
  /** With egress guard: the domains come from users. */
  readonly guarded: HttpClient
  /** Without: the database is set by the operator. */
  readonly trusted: HttpClient
  readonly dns: MailDns
  /** GRANTWAY_AUTOCONFIG_URL; the domain is added to it */
  readonly databaseUrl?: string
}

const TOTAL_TIMEOUT_MS = 5000
const MAX_BYTES = 128 * 1024

/** Makes the look-ups. All sources are asked at once, so that a silent one costs no more than the deadline. */
export function createAutoconfig(deps: AutoconfigDeps): Autoconfig {
  return {
    async servers(email, signal) {
      const domain = readHostName(domainOf(email))
      if (domain === undefined) return null
      const found = new AbortController()
      const deadline = withDeadline(AbortSignal.any([signal, found.signal]), TOTAL_TIMEOUT_MS)
      const sources = [
        ...ownUrls(domain, email).map((url) => fetchConfig(deps.guarded, url, { domain, email }, deadline)),
        ...(deps.databaseUrl === undefined
          ? []
          : [fetchConfig(deps.trusted, databaseUrl(deps.databaseUrl, domain), { domain, email }, deadline)]),
        quietly(serversBySrv(deps.dns, domain, deadline)),
      ]
      try {
        return await firstFound(sources)
      } finally {
        found.abort()
      }
    },
    async mxHosts(domain, signal) {
      const name = readHostName(domain)
      if (name === undefined) return []
      const records = await deps.dns.mx(name, withDeadline(signal, TOTAL_TIMEOUT_MS))
      return records
        .toSorted((one, other) => one.priority - other.priority)
        .flatMap(({ exchange }) => readHostName(exchange) ?? [])
    },
  }
}

/** Waits for the sources in their order. Those after the one that counts are left alone, whatever they say. */
async function firstFound(
  sources: readonly Promise<DetectedServers | null>[],
): Promise<DetectedServers | null> {
  for (const source of sources) source.catch(() => {}) // one that is never awaited must not end the process
  for (const source of sources) {
    const found = await source
    if (found) return found
  }
  return null
}

/** Where a domain keeps its own (draft-bucksch-autoconfig, checked 2026-11); over TLS only. */
function ownUrls(domain: string, email: string): readonly string[] {
  const query = `emailaddress=${encodeURIComponent(email)}`
  return [
    `https://autoconfig.${domain}/mail/config-v1.1.xml?${query}`,
    `https://${domain}/.well-known/autoconfig/mail/config-v1.1.xml?${query}`,
  ]
}

function databaseUrl(base: string, domain: string): string {
  return `${base.replace(/\/+$/, '')}/${domain}`
}

async function fetchConfig(
  http: HttpClient,
  url: string,
  { domain, email }: { readonly domain: string; readonly email: string },
  signal: AbortSignal,
): Promise<DetectedServers | null> {
  const response = await quietly(
    http.request({
      method: 'GET',
      url,
      headers: { accept: 'text/xml, application/xml' },
      signal,
      timeoutMs: TOTAL_TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    }),
  )
  if (response?.status !== 200) return null
  // Loaded with the first document: the XML parser is large.
  const { readClientConfig } = await import('./client-config.ts')
  return readClientConfig(response.body.toString('utf8'), domain, email)
}

/** A source that can't be reached knows nothing; that is no error. */
async function quietly<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ProviderError) return null
    // An AbortSignal's own reason: the deadline, or the client hung up.
    if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return null
    throw error
  }
}
