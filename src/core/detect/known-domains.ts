import type { ProviderName } from '../../contract/providers.ts'

/** What an address may be connected as; `type` is the flavour of an IMAP account (contract/auth.md 4.5). */
export interface Candidate {
  readonly provider: ProviderName
  readonly type?: string
}

const GOOGLE: readonly Candidate[] = [{ provider: 'google' }, { provider: 'imap', type: 'gmail' }]
/** No IMAP for Microsoft: it takes no passwords there any more (learn.microsoft.com, checked 2026-11). */
const MICROSOFT: readonly Candidate[] = [{ provider: 'microsoft' }]
const YAHOO: readonly Candidate[] = [{ provider: 'yahoo' }, { provider: 'imap', type: 'yahoo' }]
const AOL: readonly Candidate[] = [{ provider: 'yahoo' }, { provider: 'imap', type: 'aol' }]
const ICLOUD: readonly Candidate[] = [{ provider: 'icloud' }, { provider: 'imap', type: 'icloud' }]

/** Any mail server that tells where it is. */
export const GENERIC: readonly Candidate[] = [{ provider: 'imap', type: 'generic' }]

/**
 * Domains of the services themselves, written out: `live.ai` need not be Microsoft's, and yahoo.co.jp is another
 * company. What is missing here is found by its MX record.
 */
const DOMAINS: readonly (readonly [RegExp, readonly Candidate[]])[] = [
  [/^(gmail|googlemail)\.com$/, GOOGLE],
  [/^(outlook|hotmail|live|msn|passport|windowslive)\.com$/, MICROSOFT],
  [
    /^outlook\.(at|be|cl|co\.(id|il|th)|com\.(ar|au|br|gr|pe|tr|vn)|cz|de|dk|es|fr|hu|ie|in|it|jp|kr|lv|my|ph|pt|sa|sg|sk)$/,
    MICROSOFT,
  ],
  [
    /^(hotmail|live)\.(at|be|ca|ch|cl|co\.(uk|za)|com\.(ar|au|mx|my|pt|sg)|de|dk|fi|fr|ie|in|it|jp|nl|no|se)$/,
    MICROSOFT,
  ],
  [/^hotmail\.es$/, MICROSOFT],
  [/^(yahoo|ymail|rocketmail)\.com$/, YAHOO],
  [
    /^yahoo\.(at|be|bg|ca|ch|cl|co\.(id|in|kr|nz|th|uk|za)|com\.(ar|au|br|co|hk|mx|my|pe|ph|sg|tr|tw|ve|vn)|cz|de|dk|ee|es|fi|fr|gr|hr|hu|ie|in|it|lt|lv|nl|no|pl|pt|ro|se|sk)$/,
    YAHOO,
  ],
  [/^(aol|aim)\.(com|co\.uk|de|fr|it|es)$/, AOL],
  [/^(icloud|me|mac)\.com$/, ICLOUD],
]

/** Hosts that take mail for other domains; the MX record tells who runs them. */
const MX_HOSTS: readonly (readonly [RegExp, readonly Candidate[]])[] = [
  [/(^|\.)(google|googlemail)\.com$/, GOOGLE],
  [/(^|\.)(mail\.protection\.outlook\.com|olc\.protection\.outlook\.com|mx\.microsoft)$/, MICROSOFT],
  [/(^|\.)mail\.protection\.(outlook\.(us|cn|de)|partner\.outlook\.cn|office365\.us)$/, MICROSOFT],
  [/(^|\.)yahoodns\.net$/, YAHOO],
  [/(^|\.)mail\.icloud\.com$/, ICLOUD],
]

/** Looks a domain up in the table; `undefined` for those that are not a service's own. */
export function candidatesOfDomain(domain: string): readonly Candidate[] | undefined {
  return DOMAINS.find(([pattern]) => pattern.test(domain))?.[1]
}

/** Judges by the hosts that take the mail; the most preferred one that is known counts. */
export function candidatesOfMx(hosts: readonly string[]): readonly Candidate[] | undefined {
  for (const host of hosts) {
    const known = MX_HOSTS.find(([pattern]) => pattern.test(host.toLowerCase()))
    if (known) return known[1]
  }
  return undefined
}
