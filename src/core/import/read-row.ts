import { appError } from '../../contract/errors.ts'
import { grantId, type GrantId } from '../../contract/ids.ts'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import { FIELD_NAMES, isFieldName, looksLikeSecret } from './field-names.ts'
import { nameProvider } from './provider-names.ts'
import { readScope } from './read-scope.ts'

/** A row whose fields have the right shapes. What its provider makes of them is not known yet. */
export interface ImportRow {
  readonly provider: string
  readonly email: string
  /** as connect/custom takes them; null: a placeholder */
  readonly settings: JsonObject | null
  readonly scope: readonly string[] | undefined
  readonly tenant: string | undefined
  readonly credentialId: string | undefined
  readonly grantId: GrantId | undefined
  readonly accountId: string | undefined
  readonly name: string | undefined
  readonly state: string | undefined
  /** names of fields that mean nothing here */
  readonly ignored: readonly string[]
}

const MAX_EMAIL = 320
const MAX_TOKEN = 16_384
const MAX_TEXT = 256
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const OLD_CLIENT = /^(?:(?:google|microsoft|yahoo)_client_(?:id|secret)|redirect_uri)$/
const PASSWORDS = ['password', 'imap_password', 'ews_password']

/**
 * Reads a row: the fields of interface.md, and the names that Nylas v2 had for them (contract/auth.md 9).
 * @throws AppError `api.invalid_request_error`, the message names the field
 */
export function readImportRow(value: JsonObject): ImportRow {
  const given = objectField(value, 'settings')
  const token = readToken(value, given)
  const credential = text(given, 'credential_id', MAX_TEXT, 'settings.credential_id')
  const hasPassword = PASSWORDS.some((name) => text(given, name, MAX_TOKEN, `settings.${name}`) !== undefined)
  const providerName = required(value, 'provider', MAX_TEXT)
  const named = nameProvider(providerName, { hasToken: token !== undefined, hasPassword })
  const email = oneOf(value, FIELD_NAMES.email, MAX_EMAIL)
  if (email === undefined) throw invalid('email is required')
  const kept = withoutOldNames(given)
  const settings = { ...named.settings, ...kept }
  const isPlaceholder = token === undefined && Object.keys(kept).every((name) => name === 'credential_id')
  const ignored = Object.keys(value).filter((name) => !isFieldName(name))
  if (isPlaceholder) refuseMisspelling(ignored)
  return {
    provider: named.provider,
    email,
    settings: isPlaceholder
      ? null
      : {
          ...settings,
          ...(token === undefined ? mailboxDefaults(settings, email, hasPassword) : { refresh_token: token }),
        },
    scope: readScope(firstPresent(value, FIELD_NAMES.scope)),
    tenant: text(value, 'tenant', MAX_TEXT),
    credentialId: credential ?? text(value, 'credential_id', MAX_TEXT),
    grantId: readGrantId(value),
    accountId: oneOf(value, FIELD_NAMES.accountId, MAX_TEXT),
    name: text(value, 'name', MAX_TEXT),
    state: text(value, 'state', MAX_TEXT),
    ignored,
  }
}

/** A refresh token stands at the top or in `settings`, under its v3 or one of its v2 names. */
function readToken(value: JsonObject, settings: JsonObject): string | undefined {
  const found = new Set<string>()
  for (const name of FIELD_NAMES.refreshToken) {
    const top = text(value, name, MAX_TOKEN)
    const inner = text(settings, name, MAX_TOKEN, `settings.${name}`)
    for (const token of [top, inner]) if (token !== undefined) found.add(token)
  }
  const [token, other] = found
  if (other !== undefined) throw invalid('refresh_token is given twice, with different values')
  return token
}

/** Without what v2 kept in the settings and v3 keeps in the connector, and without the token, read already. */
function withoutOldNames(settings: JsonObject): JsonObject {
  const old: readonly string[] = FIELD_NAMES.refreshToken
  const kept = Object.entries(settings).filter(
    ([name, value]) => !old.includes(name) && !OLD_CLIENT.test(name) && value !== null && value !== '',
  )
  // A list is written as text in CSV.
  return Object.fromEntries(
    kept.map(([name, value]) => [
      name,
      name === 'scopes' && typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : value,
    ]),
  )
}

/** The address is the user name and the address of settings that don't say so. */
function mailboxDefaults(settings: JsonObject, email: string, hasPassword: boolean): JsonObject {
  const isNamed = ['username', 'imap_username', 'ews_username'].some((name) => settings[name] !== undefined)
  const hasEmail = settings['email'] !== undefined || settings['email_address'] !== undefined
  return {
    ...(hasEmail ? {} : { email }),
    ...(hasPassword && !isNamed ? { username: email } : {}),
  }
}

function refuseMisspelling(ignored: readonly string[]): void {
  const suspect = ignored.find(looksLikeSecret)
  if (suspect === undefined) return
  throw invalid(
    `refresh_token and settings are missing and ${suspect} is no field of an import: is it misspelt? A row ` +
      'with neither becomes a placeholder, so it is not imported.',
  )
}

function readGrantId(value: JsonObject): GrantId | undefined {
  const id = text(value, 'grant_id', MAX_TEXT)
  if (id === undefined) return undefined
  if (!UUID.test(id)) throw invalid('grant_id must be a UUID')
  return grantId(id.toLowerCase())
}

function objectField(value: JsonObject, name: string): JsonObject {
  const field = value[name]
  if (field === undefined || field === null || field === '') return {}
  if (isJsonObject(field)) return field
  throw invalid(`${name} must be an object`)
}

function required(value: JsonObject, name: string, max: number): string {
  const found = text(value, name, max)
  if (found === undefined) throw invalid(`${name} is required`)
  return found
}

function firstPresent(value: JsonObject, names: readonly string[]): unknown {
  return names.map((name) => value[name]).find((field) => field !== undefined && field !== null)
}

function oneOf(value: JsonObject, names: readonly string[], max: number): string | undefined {
  const found = new Set(names.map((name) => text(value, name, max)).filter((one) => one !== undefined))
  const [first, other] = found
  if (other !== undefined) throw invalid(`${names.join(' and ')} differ`)
  return first
}

/** Reads a text field, without the space around it; null and empty text count as absent. */
function text(value: JsonObject, name: string, max: number, at = name): string | undefined {
  const field = value[name]
  if (field === undefined || field === null || field === '') return undefined
  if (typeof field !== 'string') throw invalid(`${at} must be a string`)
  const trimmed = field.trim()
  if (trimmed.length > max) throw invalid(`${at} is longer than ${max} characters`)
  if (/[\0\uD800-\uDFFF]/u.test(trimmed)) throw invalid(`${at} contains characters that are not allowed`)
  return trimmed === '' ? undefined : trimmed
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
