import type { Connector } from '../../contract/connector.ts'
import { appError } from '../../contract/errors.ts'
import { stringField, type JsonObject } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'
import { pick } from '../credentials/credential-record.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ConnectorRecord } from '../ports/records.ts'

/** Settings of a connector, checked and split: what may be shown, and the OAuth client that is sealed. */
export interface ConnectorSettings {
  readonly shown: JsonObject
  /** null where a connector of this provider is no OAuth client */
  readonly client: { readonly client_id: string; readonly client_secret: string } | null
}

/**
 * Checks settings against the provider's schema.
 * @throws AppError `api.invalid_request_error`, the message names the field
 */
export function checkSettings(module: ProviderModule, settings: JsonObject): ConnectorSettings {
  const shape = checkShape(module.connector.settings, settings, 'settings')
  if (!shape.ok) throw appError('api.invalid_request_error', shape.problem)
  const shown = pick(settings, module.connector.publicSettings)
  if (!module.connector.isOAuthClient) return { shown, client: null }
  const client = {
    client_id: requiredText(settings, 'client_id'),
    client_secret: requiredText(settings, 'client_secret'),
  }
  return { shown, client }
}

/** Brings scopes to the form that is kept, each once; none where the provider keeps none. */
export function normalizeScopes(module: ProviderModule, scope: readonly string[]): readonly string[] {
  if (!module.connector.takesScope) return []
  const forms = scope.map((name) => name.trim()).filter((name) => name !== '')
  return [...new Set(forms.map((name) => module.connector.normalizeScope?.(name) ?? name))]
}

/** Turns a connector record into its wire shape; `settings` (the record has public ones only) is always there. */
export function presentConnector(record: ConnectorRecord, module: ProviderModule | undefined): Connector {
  return {
    id: record.id,
    name: record.name,
    provider: record.provider,
    settings: record.settings,
    ...(module?.connector.takesScope ? { scope: [...record.scope] } : {}),
    ...(record.activeCredentialId === null ? {} : { active_credential_id: record.activeCredentialId }),
    ...(record.alarm === null ? {} : { alarm: record.alarm }),
  }
}

function requiredText(settings: JsonObject, name: string): string {
  const value = stringField(settings, name)?.trim()
  if (!value) throw appError('api.invalid_request_error', `settings.${name} is required`)
  return value
}
