import { appError } from '../../contract/errors.ts'
import type { GrantMaterial } from '../../core/ports/identity.ts'
import { isEmailAddress } from '../../formats/addresses.ts'
import type { JsonObject } from '../../kit/json.ts'
import { Secret } from '../../kit/secret.ts'
import { TENANT_PATTERN } from './endpoints.ts'
import { APP_MAILBOX } from './mailbox.ts'

/**
 * Reads `settings` of connect/custom: a user's refresh token, or a mailbox and an `adminconsent` credential.
 * The credential may also be named at the top level of the request, so that it is missing is found later.
 * @throws AppError `api.invalid_request_error`, the message names the field
 */
export function readMicrosoftSettings(settings: JsonObject): GrantMaterial {
  const credentialId = optionalText(settings, 'credential_id')
  const withCredential = credentialId === undefined ? {} : { credentialId }
  if (settings['refresh_token'] !== undefined || settings['email_address'] === undefined) {
    const refreshToken = optionalText(settings, 'refresh_token')
    if (refreshToken === undefined) throw invalid('settings.refresh_token is required')
    return {
      secret: { kind: 'refresh-token', refreshToken: new Secret(refreshToken) },
      ...withCredential,
      credentialType: 'connector',
      publicSettings: tenantOf(settings),
    }
  }
  const emailAddress = optionalText(settings, 'email_address')
  if (emailAddress === undefined) throw invalid('settings.email_address is required')
  if (!isEmailAddress(emailAddress)) throw invalid('settings.email_address must be an email address')
  return {
    secret: { kind: 'impersonation', emailAddress, scopes: [] },
    ...withCredential,
    credentialType: 'adminconsent',
    publicSettings: { [APP_MAILBOX]: emailAddress },
  }
}

/** The tenant this grant's tokens come from, where it is not the connector's. */
function tenantOf(settings: JsonObject): JsonObject {
  const tenant = optionalText(settings, 'tenant')
  if (tenant === undefined) return {}
  if (!new RegExp(TENANT_PATTERN).test(tenant)) {
    throw invalid('settings.tenant must be a directory id or domain, common, organizations or consumers')
  }
  return { tenant }
}

function optionalText(settings: JsonObject, name: string): string | undefined {
  const value = settings[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalid(`settings.${name} must be a string`)
  return value.trim() === '' ? undefined : value.trim()
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
