import addressparser from 'nodemailer/lib/addressparser'

/** An address as the wire shows it; `email` is `""` where a header has a display name only. */
export interface ParsedAddress {
  email: string
  name?: string
}

const HEADER_LIMIT = 256 * 1024

/**
 * Reads an address header whose encoded words are decoded already (or that has none). Groups are flattened
 * into their members. Never throws; garbage gives what can be made of it.
 * @see RFC 5322 section 3.4
 */
export function parseAddressList(header: string | undefined): ParsedAddress[] {
  if (!header) return []
  return addressparser(header.slice(0, HEADER_LIMIT), { flatten: true })
    .map(({ name, address }) => toParsedAddress(address, name))
    .filter((address) => address.email !== '' || address.name !== undefined)
}

/** Puts an address and a display name into the wire's form: no `name` where there is none. */
export function toParsedAddress(email: string | undefined, name: string | undefined): ParsedAddress {
  const shown = name?.trim()
  return shown ? { email: email?.trim() ?? '', name: shown } : { email: email?.trim() ?? '' }
}

/** Tells whether text looks like one mailbox address: one @, something on both sides, no white space. */
export function isEmailAddress(text: string): boolean {
  return text.length <= 320 && /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/.test(text)
}

/** The domain of an address, lower case; `""` where there is none. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}
