import { applicationId, type ApplicationId } from '../contract/ids.ts'
import type { Config } from '../config/schema.ts'
import type { ApiKeyRecord, AuditEntry } from '../core/ports/records.ts'
import type { Services } from '../core/ports/services.ts'
import type { KeyRotation } from '../core/vault/rotate-keys.ts'
import type { Logger } from '../kit/logger.ts'
import { callAdminSocket } from './admin-socket/client.ts'
import type { AdminCommand } from './commands.ts'
import { compose } from './compose.ts'
import { grantFindings } from './doctor/grant-findings.ts'
import { DataFolderInUseError } from './open-database.ts'
import { runRotationCommand } from './rotate-keys.ts'
import { StartError } from './start-error.ts'

type AdminServices = Pick<Services, 'applications' | 'apiKeys' | 'condition' | 'auditLog' | 'imports'>

/**
 * Runs an admin command over open services.
 * @throws StartError for an unknown application or key
 */
export async function runAdminCommand(
  { services, keyRotation }: { readonly services: AdminServices; readonly keyRotation: KeyRotation },
  command: AdminCommand,
): Promise<unknown> {
  switch (command.name) {
    case 'keys.create': {
      const owner = await theApplication(services, command.applicationId)
      const { record, value } = await services.apiKeys.create(owner, { name: command.keyName, actor: 'cli' })
      return { ...shownKey(record), api_key: value }
    }
    case 'keys.list': {
      const owner = command.applicationId === undefined ? null : applicationId(command.applicationId)
      return (await services.apiKeys.list(owner)).map(shownKey)
    }
    case 'keys.revoke': {
      if (!(await services.apiKeys.revoke(command.id, 'cli')))
        throw new StartError(`There is no live key ${command.id}.`)
      return { id: command.id, revoked: true }
    }
    case 'apps.create': {
      const made = await services.applications.create({
        name: command.appName,
        actor: 'cli',
        ...(command.id === undefined ? {} : { id: command.id }),
      })
      return { application_id: made.id, name: made.name, created_at: made.createdAt }
    }
    case 'import.open':
      return { application_id: await theApplication(services, command.applicationId) }
    case 'import.batch': {
      const caller = { applicationId: command.applicationId, actor: 'cli' }
      return services.imports.importRows(caller, command.rows, command.options)
    }
    case 'apps.list':
      return (await services.applications.list()).map((one) => ({
        application_id: one.id,
        name: one.name,
        blocked: one.blocked,
        created_at: one.createdAt,
      }))
    case 'doctor.grants':
      return grantFindings(await services.condition())
    case 'rotation.begin':
    case 'rotation.rewrap':
    case 'rotation.step':
      return runRotationCommand(keyRotation, command)
    case 'audit.list': {
      const { name: _name, applicationId: owner, limit, beforeSeq, ...filter } = command
      const entries = await services.auditLog.listAll(
        { ...filter, applicationId: owner === undefined ? null : applicationId(owner) },
        { limit, ...(beforeSeq === undefined ? {} : { beforeSeq }) },
      )
      return entries.map(shownEntry)
    }
  }
}

/**
 * Runs an admin command from outside: on PostgreSQL or an idle data folder by opening it, beside a running
 * `serve` through its admin socket.
 */
export async function runAdminCommandAnywhere(
  config: Config,
  command: AdminCommand,
  log: Logger,
): Promise<unknown> {
  try {
    const application = await compose({ config, log, runsJobs: false })
    try {
      return await runAdminCommand(application, command)
    } finally {
      await application.close()
    }
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error
    return callAdminSocket(config.dataDir, command)
  }
}

/** The application a command is about: the named one, else the only one. @throws StartError */
export async function theApplication(
  services: Pick<Services, 'applications'>,
  wanted: string | undefined,
): Promise<ApplicationId> {
  const all = await services.applications.list()
  if (wanted !== undefined) {
    const found = all.find((one) => one.id === wanted)
    if (found) return found.id
    throw new StartError(`There is no application ${wanted}.`)
  }
  const [only, ...others] = all
  if (!only) throw new StartError('There is no application yet: run `grantway apps create` first.')
  if (others.length > 0)
    throw new StartError('There are several applications: name one with --application-id.')
  return only.id
}

function shownEntry(entry: AuditEntry & { readonly seq: number }) {
  return {
    seq: entry.seq,
    id: entry.id,
    created_at: entry.createdAt,
    actor: entry.actor,
    action: entry.action,
    target: entry.target,
    application_id: entry.applicationId,
    detail: entry.detail,
  }
}

function shownKey(record: ApiKeyRecord) {
  return {
    id: record.id,
    application_id: record.applicationId,
    name: record.name,
    created_at: record.createdAt,
    ...(record.revokedAt === null ? {} : { revoked_at: record.revokedAt }),
  }
}
