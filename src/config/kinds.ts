import ipaddr from 'ipaddr.js'
import { Secret } from '../kit/secret.ts'

/** What a value may look like: words for the documentation, and the reading of it. */
export interface Kind<T> {
  readonly type: string
  /**
   * Reads a value.
   * @throws InvalidValue whose message completes the sentence "NAME …"
   */
  parse(text: string): T
}

/** A value that cannot be taken. The message completes "NAME …" and never repeats a secret. */
export class InvalidValue extends Error {}

/** One operator key: `kid` names it in sealed values, `key` holds 32 bytes as base64. */
export interface EncryptionKey {
  readonly kid: string
  readonly key: Secret
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const text: Kind<string> = {
  type: 'text',
  parse: (value) => value,
}

export const host: Kind<string> = {
  type: 'host name or address',
  parse(value) {
    if (!/^[A-Za-z0-9._:-]+$/.test(value)) throw wrong('must be a host name or an IP address', value)
    return value
  },
}

export const logLevel: Kind<LogLevel> = {
  type: 'log level',
  parse(value) {
    const level = LOG_LEVELS.find((known) => known === value)
    if (!level) throw wrong(`must be one of ${LOG_LEVELS.join(', ')}`, value)
    return level
  },
}

const TRACKING_MODES = ['off', 'anonymous', 'full'] as const

export const trackingMode: Kind<(typeof TRACKING_MODES)[number]> = {
  type: '`off`, `anonymous` or `full`',
  parse(value) {
    const mode = TRACKING_MODES.find((known) => known === value)
    if (!mode) throw wrong(`must be one of ${TRACKING_MODES.join(', ')}`, value)
    return mode
  },
}

export const flag: Kind<boolean> = {
  type: '`true` or `false`',
  parse(value) {
    if (value !== 'true' && value !== 'false') throw wrong('must be true or false', value)
    return value === 'true'
  },
}

export const wholeNumber = (least: number, most: number): Kind<number> => ({
  type: `number from ${least} to ${most}`,
  parse(value) {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= least && number <= most)) {
      throw wrong(`must be a whole number from ${least} to ${most}`, value)
    }
    return number
  },
})

export const port = wholeNumber(0, 65535)

export const applicationId: Kind<string> = {
  type: 'identifier',
  parse(value) {
    if (!/^[A-Za-z0-9._-]{1,128}$/.test(value)) {
      throw wrong('must be 1 to 128 letters, digits, dots, underscores or hyphens', value)
    }
    return value
  },
}

/** `Name <address>` or an address alone, as it stands in `From`. */
export const mailSender: Kind<string> = {
  type: 'mail address',
  parse(value) {
    if (!/^([^<>@\r\n]+ )?<[^<>@\s]+@[^<>@\s]+>$|^[^<>@\s]+@[^<>@\s]+$/.test(value)) {
      throw wrong('must be an address such as grantway@example.com or Grantway <grantway@example.com>', value)
    }
    return value
  },
}

/** Comma-separated networks in CIDR notation; empty text is the empty list. */
export const cidrList: Kind<readonly string[]> = {
  type: 'CIDR list',
  parse(value) {
    const networks = listOf(value)
    for (const network of networks) {
      if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(network) && !ipaddr.IPv6.isValidCIDR(network)) {
        throw wrong('must be a comma-separated list of networks such as 10.0.0.0/8 or ::1/128', network)
      }
    }
    return networks
  },
}

/** Comma-separated IP addresses; empty text is the empty list. */
export const addressList: Kind<readonly string[]> = {
  type: 'list of IP addresses',
  parse(value) {
    const addresses = listOf(value)
    for (const address of addresses) {
      if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) {
        throw wrong('must be a comma-separated list of IP addresses', address)
      }
    }
    return addresses
  },
}

/** An http(s) address without credentials, query or fragment; kept without a trailing slash. */
export const url: Kind<string> = { type: 'URL', parse: (value) => readUrl(value) }

/** Like `url`; `{tenant}` may stand in the path. Not in the host: exactly the written origin is trusted. */
export const urlTemplate: Kind<string> = {
  type: 'URL, may contain `{tenant}`',
  parse(value) {
    if (/^[a-z]+:\/\/[^/]*\{tenant\}/i.test(value))
      throw wrong('may contain {tenant} in its path only', value)
    readUrl(value.replaceAll('{tenant}', 'tenant'))
    return withoutTrailingSlash(value)
  },
}

/** `host:port`; an IPv6 address stands in brackets. */
export const hostPort: Kind<HostPort> = {
  type: '`host:port`',
  parse(value) {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(value)
    const name = match?.[1] ?? match?.[2]
    const number = Number(match?.[3])
    if (name === undefined || !(number >= 1 && number <= 65535)) throw wrong('must be host:port', value)
    return Object.freeze({ host: name, port: number })
  },
}

/** Printable ASCII (it travels in a header), at least `least` characters. */
export const secretText = (least: number): Kind<Secret> => ({
  type: least > 1 ? `secret, at least ${least} printable characters` : 'secret',
  parse(value) {
    if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
      throw new InvalidValue('must consist of printable ASCII characters')
    }
    if (value.length < least) throw new InvalidValue(`must have at least ${least} characters`)
    return new Secret(value)
  },
})

/** `postgres://user:password@host:port/database`; secret because of the password. */
export const databaseUrl: Kind<Secret> = {
  type: 'secret, `postgres://…`',
  parse(value) {
    if (!/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value)) {
      throw new InvalidValue('must be a postgres:// address')
    }
    return new Secret(value)
  },
}

/** `smtps://user:password@host:port` (TLS from the first byte) or `smtp://…` (STARTTLS); secret because of the password. */
export const smtpUrl: Kind<Secret> = {
  type: 'secret, `smtps://…` or `smtp://…`',
  parse(value) {
    const url = URL.canParse(value) ? new URL(value) : undefined
    const isPlain = url?.search === '' && url.hash === '' && /^\/?$/.test(url.pathname)
    if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || !isPlain || !isDecodable(url)) {
      throw new InvalidValue(
        'must be smtps://user:password@host:port or smtp://…, special characters %-encoded',
      )
    }
    return new Secret(value)
  },
}

/** `kid:base64(32 bytes)[,kid:…]`. The first key wraps, all of them open. */
export const encryptionKeys: Kind<readonly EncryptionKey[]> = {
  type: 'secret, `kid:base64(32 bytes)[,kid:…]`',
  parse(value) {
    const seen = new Set<string>()
    const entries = listOf(value)
    if (entries.length === 0) throw new InvalidValue('holds no key')
    return entries.map((entry, index) => {
      const at = `entry ${index + 1}`
      const colon = entry.indexOf(':')
      const kid = entry.slice(0, Math.max(colon, 0))
      const encoded = entry.slice(colon + 1)
      if (!/^[A-Za-z0-9._-]{1,64}$/.test(kid)) {
        throw new InvalidValue(`${at} must begin with a key id (letters, digits, . _ -) and a colon`)
      }
      if (seen.has(kid)) throw new InvalidValue(`has the key id ${kid} twice`)
      seen.add(kid)
      // 32 bytes are 43 base64 digits and one pad character; node's decoder alone would skip over rubbish.
      if (!/^[A-Za-z0-9+/]{43}=?$/.test(encoded)) {
        throw new InvalidValue(`${at} must hold 32 bytes in base64 (openssl rand -base64 32)`)
      }
      return Object.freeze({ kid, key: new Secret(encoded) })
    })
  },
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false // a % that begins no code
  }
}

function listOf(value: string): readonly string[] {
  const entries = value.split(',').map((entry) => entry.trim())
  return entries.filter((entry) => entry !== '')
}

function readUrl(value: string): string {
  const parsed = URL.canParse(value) ? new URL(value) : undefined
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') {
    throw wrong('must be an http:// or https:// address', parsed?.password ? '(not shown)' : value)
  }
  if (parsed.username || parsed.password) throw new InvalidValue('must not contain a user name or password')
  if (/[?#]/.test(value)) throw wrong('must have no query and no fragment', value)
  return withoutTrailingSlash(value)
}

const withoutTrailingSlash = (value: string): string => value.replace(/\/+$/, '')

function wrong(rule: string, value: string): InvalidValue {
  return new InvalidValue(`${rule}, not ${JSON.stringify(value)}`)
}
