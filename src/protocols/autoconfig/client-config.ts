import { XMLParser } from 'fast-xml-parser'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import { isPort, readHostName } from './host-name.ts'

/** A mail server as autoconfiguration names it. */
export interface DetectedServer {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte */
  readonly tls: 'implicit' | 'starttls'
  /** The user name to sign in with, where it is another than the address. */
  readonly username?: string
}

/** What was found; a protocol that is not offered is absent. */
export interface DetectedServers {
  readonly imap?: DetectedServer
  readonly smtp?: DetectedServer
}

const LONGEST_TEXT = 128 * 1024
const ATTRIBUTE = '@'

/**
 * Reads a `clientConfig` document: the first IMAP and the first SMTP server that use TLS, and nothing else of it.
 * Documents with a DTD are refused whole, so there are no entities to expand. Never throws.
 *
 * @param domain  what `%EMAILDOMAIN%` stands for
 * @param email  the address whose user name is asked for: `%EMAILADDRESS%`, `%EMAILLOCALPART%`
 * @returns null for anything that is no such document or names no server
 * @see draft-bucksch-autoconfig (work in progress; checked 2026-11)
 */
export function readClientConfig(xml: string, domain: string, email: string): DetectedServers | null {
  if (xml.length > LONGEST_TEXT || /<!(?:DOCTYPE|ENTITY)/i.test(xml)) return null
  const config = child(parse(xml), 'clientConfig')
  for (const provider of list(config, 'emailProvider')) {
    const imap = list(provider, 'incomingServer').flatMap((server) =>
      readServer(server, 'imap', domain, email),
    )[0]
    const smtp = list(provider, 'outgoingServer').flatMap((server) =>
      readServer(server, 'smtp', domain, email),
    )[0]
    if (imap || smtp) return { ...(imap ? { imap } : {}), ...(smtp ? { smtp } : {}) }
  }
  return null
}

function parse(xml: string): JsonObject {
  try {
    const parser = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: ATTRIBUTE,
      parseTagValue: false,
      parseAttributeValue: false,
      processEntities: false,
      ignoreDeclaration: true,
      ignorePiTags: true,
    })
    const parsed: unknown = parser.parse(xml)
    return isJsonObject(parsed) ? parsed : {}
  } catch {
    return {} // not XML: the domain has no configuration
  }
}

function readServer(server: JsonObject, type: string, domain: string, email: string): DetectedServer[] {
  if (text(server, `${ATTRIBUTE}type`).toLowerCase() !== type) return []
  const host = readHostName(text(server, 'hostname').replaceAll('%EMAILDOMAIN%', domain))
  const port = Number(text(server, 'port'))
  const tls = tlsOf(text(server, 'socketType'))
  if (!host || !tls || !isPort(port)) return []
  const username = readUsername(text(server, 'username'), domain, email)
  return [{ host, port, tls, ...(username === undefined || username === email ? {} : { username }) }]
}

/** A user name that is made of the address; a fixed one would be the same for everybody and is not taken. */
function readUsername(template: string, domain: string, email: string): string | undefined {
  if (!/%EMAIL(ADDRESS|LOCALPART)%/.test(template)) return undefined
  const local = email.slice(0, email.lastIndexOf('@'))
  const username = template
    .replaceAll('%EMAILADDRESS%', () => email)
    .replaceAll('%EMAILLOCALPART%', () => local)
    .replaceAll('%EMAILDOMAIN%', () => domain)
  return username.length <= 320 && /^[^\s%\p{Cc}]+$/u.test(username) ? username : undefined
}

/** `plain` has no TLS and is not taken. */
function tlsOf(socketType: string): DetectedServer['tls'] | undefined {
  switch (socketType.toUpperCase()) {
    case 'SSL':
    case 'TLS':
      return 'implicit'
    case 'STARTTLS':
      return 'starttls'
    default:
      return undefined
  }
}

function child(object: JsonObject, name: string): JsonObject {
  return list(object, name)[0] ?? {}
}

/** One element gives an object, several an array. */
function list(object: JsonObject, name: string): readonly JsonObject[] {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  return (Array.isArray(value) ? value : [value]).filter(isJsonObject)
}

/** The text of an element; of the first one where it stands several times. An element with attributes is an object. */
function text(object: JsonObject, name: string): string {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  const first: unknown = Array.isArray(value) ? value[0] : value
  const inner = isJsonObject(first) ? first['#text'] : first
  return typeof inner === 'string' ? inner.trim() : ''
}
