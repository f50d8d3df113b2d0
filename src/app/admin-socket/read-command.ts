import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import type { AdminCommand } from '../commands.ts'

/** Reads a command that came over the socket; `undefined` when it is none of ours (another version's, say). */
export function readAdminCommand(value: unknown): AdminCommand | undefined {
  if (!isJsonObject(value)) return undefined
  const keyName = stringField(value, 'keyName')
  const appName = stringField(value, 'appName')
  const id = stringField(value, 'id')
  switch (value['name']) {
    case 'keys.create':
      return keyName === undefined ? undefined : { name: 'keys.create', keyName, ...applicationOf(value) }
    case 'keys.list':
      return { name: 'keys.list', ...applicationOf(value) }
    case 'keys.revoke':
      return id === undefined ? undefined : { name: 'keys.revoke', id }
    case 'apps.create':
      return appName === undefined
        ? undefined
        : { name: 'apps.create', appName, ...(id === undefined ? {} : { id }) }
    case 'apps.list':
      return { name: 'apps.list' }
    default:
      return undefined
  }
}

function applicationOf(value: JsonObject): { readonly applicationId?: string } {
  const applicationId = stringField(value, 'applicationId')
  return applicationId === undefined ? {} : { applicationId }
}
