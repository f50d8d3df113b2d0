import type { Static } from 'typebox'
import type {
  Application,
  ApplicationUpdateBody,
  HostedAuthentication,
  IdpSettings,
} from '../../contract/application.ts'
import { isJsonObject, stringField, type JsonObject } from '../../kit/json.ts'
import type { ApplicationRecord, CallbackUriRecord } from '../ports/records.ts'
import { presentCallbackUri } from './present-callback-uri.ts'

/** Tells whether the application lets its callback URIs carry a query string. */
export function allowsQueryInRedirectUri(settings: JsonObject): boolean {
  return objectField(settings, 'additional_settings')['allow_query_param_in_redirect_uri'] === true
}

/**
 * Applies a PATCH to the stored settings: an omitted field is kept, a supplied nested object replaces the
 * stored one whole (contract/auth.md 1). The name of the branding is the name of the application and stays
 * when the new branding has none.
 */
export function applyApplicationUpdate(
  record: ApplicationRecord,
  body: ApplicationUpdateBody,
): Pick<ApplicationRecord, 'name' | 'settings'> {
  const settings: Record<string, unknown> = { ...record.settings }
  const { branding, hosted_authentication, idp_settings, domain, additional_settings } = body
  for (const [name, value] of Object.entries({
    branding,
    hosted_authentication,
    idp_settings,
    domain,
    additional_settings,
  })) {
    if (value !== undefined) settings[name] = value
  }
  return { name: branding?.name ?? record.name, settings }
}

/** Turns an application into its wire shape. `additional_settings` are write-only and stay inside. */
export function presentApplication(
  record: ApplicationRecord,
  callbackUris: readonly CallbackUriRecord[],
): Application {
  const domain = stringField(record.settings, 'domain')
  return {
    application_id: record.id,
    organization_id: stringField(record.settings, 'organization_id') ?? record.id,
    // Java knows only these values (contract/auth.md rule 9); a self-hosted server has one region.
    region: 'us',
    environment: 'production',
    branding: { ...objectField(record.settings, 'branding'), name: record.name },
    hosted_authentication: stored<Static<typeof HostedAuthentication>>(record, 'hosted_authentication'),
    idp_settings: stored<Static<typeof IdpSettings>>(record, 'idp_settings'),
    callback_uris: callbackUris.map(presentCallbackUri),
    ...(domain ? { domain } : {}),
    ...(record.blocked ? { blocked: true } : {}),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

/** Gives a nested object that was checked against its schema when it was stored. */
function stored<T extends object>(record: ApplicationRecord, name: string): T {
  return objectField(record.settings, name) as T
}

function objectField(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}
