import { Type } from 'typebox'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { checkShape } from '../../kit/shape.ts'
import { RotationState } from '../../core/vault/rotation-state.ts'
import { readImportBatch } from './read-import-batch.ts'
import type { AdminCommand } from '../commands.ts'

const Text = Type.Optional(Type.String())
const AuditList = Type.Object({
  name: Type.Literal('audit.list'),
  applicationId: Text,
  actor: Text,
  action: Text,
  target: Text,
  since: Type.Optional(Type.Integer()),
  until: Type.Optional(Type.Integer()),
  limit: Type.Integer({ minimum: 1, maximum: 1000 }),
  beforeSeq: Type.Optional(Type.Integer()),
})

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
    case 'import.open':
      return { name: 'import.open', ...applicationOf(value) }
    case 'import.batch':
      return readImportBatch(value)
    case 'doctor.grants':
      return { name: 'doctor.grants' }
    case 'rotation.begin':
    case 'rotation.rewrap': {
      const under = stringField(value, 'under')
      return { name: value['name'], ...(under === undefined ? {} : { under }) }
    }
    case 'rotation.step': {
      const state = checkShape(RotationState, value['state'], 'state')
      return state.ok ? { name: 'rotation.step', state: state.value } : undefined
    }
    case 'audit.list': {
      const command = checkShape(AuditList, value, '')
      return command.ok ? command.value : undefined
    }
    default:
      return undefined
  }
}

function applicationOf(value: JsonObject): { readonly applicationId?: string } {
  const applicationId = stringField(value, 'applicationId')
  return applicationId === undefined ? {} : { applicationId }
}
