/** Provider names on the wire, as `POST /v3/connect/custom` and `POST /v3/connectors` take them. */
export const PROVIDER_NAMES = [
  'google',
  'microsoft',
  'yahoo',
  'zoom',
  'imap',
  'icloud',
  'ews',
  'virtual-calendar',
] as const

export type ProviderName = (typeof PROVIDER_NAMES)[number]

/** Tells whether a string is a provider name of the wire. */
export function isProviderName(value: string): value is ProviderName {
  return (PROVIDER_NAMES as readonly string[]).includes(value)
}

/** Kinds of connector credential on the wire. */
export const CREDENTIAL_TYPES = ['connector', 'serviceaccount', 'adminconsent'] as const

export type CredentialType = (typeof CREDENTIAL_TYPES)[number]
