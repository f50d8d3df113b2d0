import { Resolver } from 'node:dns/promises'
import { ProviderError } from '../../kit/provider-error.ts'

export interface MxRecord {
  readonly exchange: string
  readonly priority: number
}

export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** The DNS look-ups that autoconfiguration makes; tests answer them themselves. */
export interface MailDns {
  /** @returns none where the domain has no such record @throws ProviderError `unavailable`, `timeout` */
  mx(domain: string, signal: AbortSignal): Promise<readonly MxRecord[]>
  srv(name: string, signal: AbortSignal): Promise<readonly SrvRecord[]>
}

const QUERY_TIMEOUT_MS = 2500

/** The name does not exist, or has no record of that kind (c-ares codes). */
const ABSENT = new Set(['ENODATA', 'ENOTFOUND', 'NXDOMAIN', 'EBADNAME'])

/**
 * Makes look-ups; a signal cancels the query itself.
 * @param servers  name servers (`192.0.2.1:53`) instead of the system's
 */
export function createMailDns(servers?: readonly string[]): MailDns {
  const ask = async <T>(signal: AbortSignal, query: (resolver: Resolver) => Promise<T[]>): Promise<T[]> => {
    if (signal.aborted) throw new ProviderError('timeout', 'The name servers were not asked in time.')
    // One resolver per query: cancelling ends all queries of a resolver.
    const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 2 })
    if (servers) resolver.setServers(servers)
    const cancel = () => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await query(resolver)
    } catch (cause) {
      if (ABSENT.has(codeOf(cause))) return []
      const kind = signal.aborted || codeOf(cause) === 'ETIMEOUT' ? 'timeout' : 'unavailable'
      throw new ProviderError(kind, `The name servers gave no answer (${codeOf(cause)}).`, { cause })
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
  return {
    mx: (domain, signal) => ask(signal, (resolver) => resolver.resolveMx(domain)),
    srv: (name, signal) => ask(signal, (resolver) => resolver.resolveSrv(name)),
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'no code'
}
