import { LRUCache } from 'lru-cache'
import { domainOf } from '../../formats/addresses.ts'
import { withDeadline } from '../../kit/deadline.ts'
import type { Logger } from '../../kit/logger.ts'
import type { Caller, DetectService } from '../ports/services.ts'
import type { ConnectorStore } from '../ports/stores.ts'
import { type Candidate, candidatesOfDomain, candidatesOfMx, GENERIC } from './known-domains.ts'

/** Asks about domains; made by protocols/autoconfig. */
export interface DomainLookups {
  /** Hosts that take mail for a domain, most preferred first. */
  mxHosts(domain: string, signal: AbortSignal): Promise<readonly string[]>
  /** What autoconfiguration says; null where nobody knows. */
  servers(email: string, signal: AbortSignal): Promise<{ readonly imap?: unknown } | null>
}

export interface DetectDeps {
  readonly lookups: DomainLookups
  readonly connectors: Pick<ConnectorStore, 'find'>
  readonly log: Logger
}

const TOTAL_TIMEOUT_MS = 8000
const REMEMBERED_DOMAINS = 5000
const REMEMBERED_MS = 3_600_000
/** What nobody knows now may be set up in a moment. */
const UNKNOWN_REMEMBERED_MS = 300_000

/**
 * Makes the detection of providers: by a table of domains, by MX records, by autoconfiguration. An unknown domain
 * is an answer, not an error.
 */
export function createDetectService(deps: DetectDeps): DetectService {
  const remembered = new LRUCache<string, readonly Candidate[]>({ max: REMEMBERED_DOMAINS })
  const { lookups, connectors, log } = deps

  const candidatesOf = async (email: string, caller: AbortSignal): Promise<readonly Candidate[]> => {
    const domain = domainOf(email)
    const known = candidatesOfDomain(domain) ?? remembered.get(domain)
    if (known) return known
    const signal = withDeadline(caller, TOTAL_TIMEOUT_MS)
    try {
      const found =
        candidatesOfMx(await orNothing(lookups.mxHosts(domain, signal))) ??
        ((await lookups.servers(email, signal))?.imap ? GENERIC : [])
      // A look-up that was given up says nothing about the domain.
      if (!signal.aborted) {
        remembered.set(domain, found, { ttl: found.length > 0 ? REMEMBERED_MS : UNKNOWN_REMEMBERED_MS })
      }
      return found
    } catch (error) {
      log.warn({ err: error }, 'detect.failed')
      return []
    }
  }
  const hasConnector = async ({ applicationId }: Caller, { provider }: Candidate) =>
    (await connectors.find(applicationId, provider)) !== null

  return {
    async detect(caller, email, { allProviderTypes, signal, among }) {
      for (const candidate of await candidatesOf(email, signal)) {
        if (among && !among.includes(candidate.provider)) continue
        if (!allProviderTypes && !(await hasConnector(caller, candidate))) continue
        return {
          email_address: email,
          detected: true,
          provider: candidate.provider,
          ...(candidate.type === undefined ? {} : { type: candidate.type }),
        }
      }
      return { email_address: email, detected: false }
    },
  }
}

/** Name servers that don't answer leave autoconfiguration to say something. */
async function orNothing(hosts: Promise<readonly string[]>): Promise<readonly string[]> {
  return hosts.catch(() => [])
}
