import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'
import type { Branding } from '../ports/oauth-services.ts'
import type { ApplicationRecord } from '../ports/records.ts'

const COLOUR = /^#(?:[0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})$/i
/** Marks that end a string or an address in CSS and HTML: no address needs them unescaped. */
const UNSAFE = /["'()<>\\`\s]/
const MOST_TEXT = 200
const MOST_URL = 2048
const MOST_SPACING = 100
const DEFAULT_SPACING = 5

/** Reads how an application wants its pages to look (contract/auth.md 7.1). What is not surely harmless is left out. */
export function readBranding(application: ApplicationRecord): Branding {
  const branding = objectOf(application.settings, 'branding')
  const hosted = objectOf(application.settings, 'hosted_authentication')
  const alignment = stringField(hosted, 'alignment')
  return {
    name: text(application.name),
    title: text(stringField(hosted, 'title')),
    subtitle: text(stringField(hosted, 'subtitle')),
    iconUrl: url(branding, 'icon_url'),
    alignment: alignment === 'left' || alignment === 'right' ? alignment : 'center',
    colorPrimary: colour(hosted, 'color_primary'),
    colorSecondary: colour(hosted, 'color_secondary'),
    backgroundColor: colour(hosted, 'background_color'),
    backgroundImageUrl: url(hosted, 'background_image_url'),
    spacing: spacing(numberField(hosted, 'spacing')),
    termsOfServiceUrl: url(hosted, 'terms_of_service_url'),
    privacyPolicyUrl: url(hosted, 'privacy_policy_url'),
  }
}

function objectOf(settings: JsonObject, name: string): JsonObject {
  const value = settings[name]
  return isJsonObject(value) ? value : {}
}

function text(value: string | undefined): string {
  return (value ?? '')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, MOST_TEXT)
}

function colour(settings: JsonObject, name: string): string | null {
  const value = stringField(settings, name)?.trim() ?? ''
  return COLOUR.test(value) ? value.toLowerCase() : null
}

function url(settings: JsonObject, name: string): string | null {
  const value = stringField(settings, name)?.trim() ?? ''
  if (value === '' || value.length > MOST_URL) return null
  const parsed = URL.parse(value)
  if (parsed?.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '') return null
  return UNSAFE.test(parsed.href) ? null : parsed.href
}

function spacing(value: number | undefined): number {
  return value === undefined ? DEFAULT_SPACING : Math.max(0, Math.min(MOST_SPACING, Math.round(value)))
}
