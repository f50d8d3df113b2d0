import ipaddr from 'ipaddr.js'

/** Cuts an address to its /24 or /48; `''` for what is none. */
export function networkOfVisitor(ip: string): string {
  if (!ipaddr.isValid(ip)) return ''
  const address = ipaddr.process(ip)
  const kept = address.kind() === 'ipv4' ? 3 : 6
  return ipaddr
    .fromByteArray(address.toByteArray().map((byte, index) => (index < kept ? byte : 0)))
    .toString()
}
