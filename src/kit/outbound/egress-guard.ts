import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { promisify } from 'node:util'
import ipaddr from 'ipaddr.js'
import { ProviderError } from '../provider-error.ts'

/** A checked address: connect to this one, not to the name, so that a second look-up can't answer otherwise. */
export interface CheckedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Decides where connections to hosts that users name may go (design.md section 6). */
export interface EgressGuard {
  /**
   * Resolves the host and checks every address and the port.
   * @throws ProviderError `invalid-request` when not allowed, `unavailable` when the name has no address
   */
  resolve(host: string, port: number, use: 'mail' | 'https', signal?: AbortSignal): Promise<CheckedAddress>
}

type Lookup = (host: string) => Promise<readonly LookupAddress[]>
type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

const PORTS: { readonly [use in 'mail' | 'https']: readonly number[] } = {
  mail: [143, 993, 25, 465, 587, 2525],
  https: [443],
}

const lookupAll: Lookup = (host) => promisify(dnsLookup)(host, { all: true, verbatim: true })

/**
 * Makes the guard.
 *
 * @param allowedNetworks  CIDR ranges that are allowed though private; inside them any port is, too
 */
export function createEgressGuard(options: {
  readonly allowedNetworks: readonly string[]
  readonly lookup?: Lookup
}): EgressGuard {
  const allowed: readonly Network[] = options.allowedNetworks.map((cidr) => ipaddr.parseCIDR(cidr))
  const lookup = options.lookup ?? lookupAll
  return {
    async resolve(host, port, use, signal) {
      const addresses = await addressesOf(host, lookup, signal)
      const [first] = addresses
      if (!first) throw new ProviderError('unavailable', `The host ${host} has no address.`)
      const inside = addresses.map((address) => allowed.some((network) => contains(network, address)))
      if (addresses.some((address, at) => !inside[at] && !isPublic(address))) {
        throw new ProviderError(
          'invalid-request',
          `The host ${host} has a private or reserved address, which this server may not connect to.`,
        )
      }
      if (!PORTS[use].includes(port) && !inside.every(Boolean)) {
        throw new ProviderError(
          'invalid-request',
          `Port ${port} is not one of ${PORTS[use].join(', ')}, which connections to such hosts may use.`,
        )
      }
      return { address: first.toString(), family: first.kind() === 'ipv4' ? 4 : 6 }
    },
  }
}

async function addressesOf(host: string, lookup: Lookup, signal: AbortSignal | undefined) {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (ipaddr.isValid(bare)) return [ipaddr.parse(bare)]
  signal?.throwIfAborted()
  const found = await lookup(bare).catch((cause: unknown) => {
    throw new ProviderError('unavailable', `The host ${host} could not be resolved.`, { cause })
  })
  return found.map((entry) => ipaddr.parse(entry.address))
}

function contains([network, bits]: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const plain = unmapped(address)
  const range = unmapped(network)
  // A mapped range (::ffff:10.0.0.0/104) loses the 96 bits of its prefix with the mapping.
  const length = network.kind() === 'ipv6' && range.kind() === 'ipv4' ? bits - 96 : bits
  if (plain instanceof ipaddr.IPv4 && range instanceof ipaddr.IPv4) return plain.match(range, length)
  if (plain instanceof ipaddr.IPv6 && range instanceof ipaddr.IPv6) return plain.match(range, length)
  return false
}

function unmapped(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

/**
 * Only plain unicast counts as public: loopback, private, link-local (with the cloud metadata addresses),
 * CGNAT, 0/8, multicast, reserved, NAT64, 6to4 and Teredo all have other range names in ipaddr.js 2.5.
 */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return unmapped(address).range() === 'unicast'
}
