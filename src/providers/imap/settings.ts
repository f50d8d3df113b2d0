import { appError } from '../../contract/errors.ts'
import type { GrantMaterial, MailServerLogin } from '../../core/ports/identity.ts'
import { isEmailAddress } from '../../formats/addresses.ts'
import type { JsonObject } from '../../kit/json.ts'
import { Secret } from '../../kit/secret.ts'

/** A host that has still to be found out by autoconfiguration. */
export const UNKNOWN_HOST = ''

/**
 * Reads `settings` of an imap grant (contract/auth.md 2.1): ports as number or text, `username` and `password`
 * as aliases. Hosts that are missing are found in `identify`.
 * @throws AppError `api.invalid_request_error`, the message names the field
 */
export function readImapSettings(settings: JsonObject): GrantMaterial {
  const username = required(settings, 'imap_username', 'username').trim()
  const password = required(settings, 'imap_password', 'password')
  const email = emailOf(settings, username)
  const imapPort = port(settings, 'imap_port') ?? 993
  const imap: MailServerLogin = {
    host: host(settings, 'imap_host') ?? UNKNOWN_HOST,
    port: imapPort,
    tls: tls(settings, 'imap_tls') ?? (imapPort === 993 ? 'implicit' : 'starttls'),
    username,
    password: new Secret(password),
  }
  const type = text(settings, 'type')
  return {
    secret: { kind: 'mailbox', imap, smtp: readSmtp(settings, imap), ...readDav(settings, imap) },
    publicSettings: {
      email,
      ...(type === undefined ? {} : { type }),
      ...webAddress(settings, 'caldav_url'),
      ...webAddress(settings, 'carddav_url'),
    },
  }
}

/** The SMTP login where any of its settings is given; null: not asked for, used when it is found. */
function readSmtp(settings: JsonObject, imap: MailServerLogin): MailServerLogin | null {
  const given = ['smtp_host', 'smtp_port', 'smtp_username', 'smtp_password', 'smtp_tls']
  if (!given.some((name) => present(settings, name))) return null
  const smtpPort = port(settings, 'smtp_port') ?? 465
  const password = text(settings, 'smtp_password')
  return {
    host: host(settings, 'smtp_host') ?? UNKNOWN_HOST,
    port: smtpPort,
    tls: tls(settings, 'smtp_tls') ?? (smtpPort === 465 ? 'implicit' : 'starttls'),
    username: text(settings, 'smtp_username')?.trim() ?? imap.username,
    password: password === undefined ? imap.password : new Secret(password),
  }
}

/** The login for calendars and contacts where it differs from the mailbox's. */
function readDav(settings: JsonObject, imap: MailServerLogin) {
  const username = text(settings, 'dav_username')?.trim()
  const password = text(settings, 'dav_password')
  if (username === undefined && password === undefined) return {}
  return {
    dav: {
      username: username ?? imap.username,
      password: password === undefined ? imap.password : new Secret(password),
    },
  }
}

/** The mailbox's address: the user name where that is one, else `settings.email`. */
function emailOf(settings: JsonObject, username: string): string {
  const given = (text(settings, 'email') ?? text(settings, 'email_address'))?.trim()
  const email = given ?? username
  if (isEmailAddress(email)) return email
  throw invalid(
    given === undefined
      ? 'settings.email is required because settings.imap_username is not an email address'
      : 'settings.email must be an email address',
  )
}

function present(settings: JsonObject, name: string): boolean {
  const value = settings[name]
  return value !== undefined && value !== null && value !== ''
}

function text(settings: JsonObject, name: string): string | undefined {
  const value = settings[name]
  if (!present(settings, name)) return undefined
  if (typeof value !== 'string') throw invalid(`settings.${name} must be a string`)
  if (value.length > 1000 || /[\r\n]/.test(value) || value.includes('\0'))
    throw invalid(`settings.${name} is not valid`)
  return value
}

function required(settings: JsonObject, name: string, alias: string): string {
  const value = text(settings, name) ?? text(settings, alias)
  if (value === undefined || value.trim() === '') throw invalid(`settings.${name} is required`)
  return value
}

function host(settings: JsonObject, name: string): string | undefined {
  const value = text(settings, name)?.trim().toLowerCase()
  if (value === undefined || value === '') return undefined
  const isName = /^[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_])?\.?$/u.test(value)
  const isIpv6 = /^\[?[0-9a-f:.]+\]?$/.test(value) && value.includes(':')
  if (value.length > 253 || !(isName || isIpv6))
    throw invalid(`settings.${name} must be a host name or address`)
  return value.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

function port(settings: JsonObject, name: string): number | undefined {
  if (!present(settings, name)) return undefined
  const value = settings[name]
  const written = typeof value === 'string' ? value.trim() : String(value)
  const number = /^\d{1,5}$/.test(written) ? Number(written) : 0
  if (number < 1 || number > 65_535) throw invalid(`settings.${name} must be a port number`)
  return number
}

function tls(settings: JsonObject, name: string): 'implicit' | 'starttls' | undefined {
  const value = text(settings, name)
  if (value === undefined || value === 'implicit' || value === 'starttls') return value
  throw invalid(`settings.${name} must be implicit or starttls`)
}

/** Kept for calendars and contacts; an address with credentials in it would show them. */
function webAddress(settings: JsonObject, name: string): JsonObject {
  const value = text(settings, name)
  if (value === undefined) return {}
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid(`settings.${name} must be an http(s) address`)
  if (url.username || url.password) throw invalid(`settings.${name} must not contain a user name or password`)
  return { [name]: value }
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
