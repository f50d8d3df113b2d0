import { PLATFORMS, type Platform } from '../../contract/application.ts'
import { appError } from '../../contract/errors.ts'
import { stringField, type JsonObject } from '../../kit/json.ts'

/** What may be said about a callback URI, checked: the rules of contract/auth.md 7.2. */
export interface CheckedCallbackUri {
  /** byte for byte as it was given */
  readonly url: string
  readonly platform: Platform
  readonly settings: JsonObject
}

/** The loopback addresses of RFC 8252 section 7.3, and localhost. */
const HTTP_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])
/** Schemes that run or read something in the browser instead of calling an app. */
const REFUSED_SCHEMES = new Set([
  'javascript:',
  'data:',
  'file:',
  'vbscript:',
  'blob:',
  'about:',
  'view-source:',
])
const DEEP_LINK = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/

/** Settings per platform: the first list is required, the second may be there. */
const SETTINGS: Record<
  Platform,
  { readonly required: readonly string[]; readonly optional: readonly string[] }
> = {
  web: { required: [], optional: [] },
  desktop: { required: [], optional: [] },
  js: { required: ['origin'], optional: [] },
  ios: { required: ['bundle_id'], optional: ['app_store_id', 'team_id'] },
  android: { required: ['package_name', 'sha1_certificate_fingerprint'], optional: [] },
}

/**
 * Checks a callback URI.
 *
 * @param at  where it stands, for the text: `callback_uris.0.` or nothing
 * @throws AppError `api.invalid_request_error`, the message names the field
 */
export function checkCallbackUri(
  input: {
    readonly url: string
    readonly platform?: string | undefined
    readonly settings?: JsonObject | undefined
  },
  rules: { readonly allowQuery: boolean },
  at = '',
): CheckedCallbackUri {
  const platform = readPlatform(input.platform, at)
  checkUrl(input.url, platform, rules.allowQuery, at)
  return { url: input.url, platform, settings: readSettings(platform, input.settings ?? {}, at) }
}

function readPlatform(given: string | undefined, at: string): Platform {
  // The Java and Kotlin SDKs call the platform js "mobile" (contract/auth.md rule 9).
  const name = given === 'mobile' ? 'js' : (given ?? 'web')
  const platform = PLATFORMS.find((known) => known === name)
  if (!platform) throw invalid(`${at}platform must be one of ${PLATFORMS.join(', ')}`)
  return platform
}

function checkUrl(url: string, platform: Platform, allowQuery: boolean, at: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\s\\\x00-\x1f\x7f]/.test(url))
    throw invalid(`${at}url must not contain spaces, backslashes or control characters`)
  const parsed = URL.parse(url)
  if (!parsed) throw invalid(`${at}url is not an absolute URL`)
  if (url.includes('#')) throw invalid(`${at}url must not have a fragment`)
  if (parsed.username || parsed.password) throw invalid(`${at}url must not contain user information`)
  if (url.includes('?') && !allowQuery) {
    throw invalid(
      `${at}url must not have a query unless additional_settings.allow_query_param_in_redirect_uri is set`,
    )
  }
  if (parsed.protocol === 'https:' && parsed.hostname !== '') return
  if (parsed.protocol === 'http:') {
    if (HTTP_HOSTS.has(parsed.hostname)) return
    throw invalid(`${at}url must be https; http is for localhost, 127.0.0.1 and [::1] only`)
  }
  const isApp = platform === 'ios' || platform === 'android'
  if (isApp && DEEP_LINK.test(url) && !REFUSED_SCHEMES.has(parsed.protocol)) return
  throw invalid(
    isApp
      ? `${at}url must be https or a deep link such as com.example.app://auth`
      : `${at}url must be https; deep links are for the platforms ios and android`,
  )
}

function readSettings(platform: Platform, given: JsonObject, at: string): JsonObject {
  const { required, optional } = SETTINGS[platform]
  const settings: Record<string, string> = {}
  for (const name of [...required, ...optional]) {
    const value =
      stringField(given, name) ?? (name === 'sha1_certificate_fingerprint' ? sha1Alias(given) : undefined)
    if (value !== undefined && value.trim() !== '') settings[name] = value.trim()
    else if (required.includes(name))
      throw invalid(`${at}settings.${name} is required for the platform ${platform}`)
  }
  if (settings['origin'] !== undefined) settings['origin'] = readOrigin(settings['origin'], at)
  return settings
}

/** The Node SDK puts an underscore before digits (contract/auth.md 1, Casing). */
function sha1Alias(given: JsonObject): string | undefined {
  return stringField(given, 'sha_1_certificate_fingerprint')
}

function readOrigin(given: string, at: string): string {
  const parsed = URL.parse(given)
  const isOrigin =
    parsed !== null &&
    (parsed.protocol === 'https:' || parsed.protocol === 'http:') &&
    `${parsed.origin}/` === parsed.href
  if (!isOrigin) throw invalid(`${at}settings.origin must be an origin such as https://app.example.com`)
  return parsed.origin
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
