import { appError } from '../../contract/errors.ts'
import type { AuditLogEntry } from '../../contract/audit.ts'
import { decodeCursor, encodeCursor } from '../mail/cursor.ts'
import type { AuditEntry } from '../ports/records.ts'
import type { AuditLogService } from '../ports/services.ts'
import type { Database } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'

/** Makes the reading side of the audit log. */
export function createAuditLogService(deps: {
  readonly database: Database
  readonly vault: Vault
}): AuditLogService {
  const { audit } = deps.database.stores
  return {
    async list({ applicationId }, { limit, pageToken, ...filter }) {
      if (filter.since !== undefined && filter.until !== undefined && filter.since > filter.until) {
        throw appError('api.invalid_request_error', 'since must not be after until')
      }
      const scope = { grantId: applicationId, route: 'audit-log', filter }
      const after =
        pageToken === undefined ? {} : { beforeSeq: Number(decodeCursor(deps.vault, scope, pageToken)) }
      const entries = await audit.list({ ...filter, applicationId }, { limit: limit + 1, ...after })
      const items = entries.slice(0, limit)
      const last = items.at(-1)
      return {
        items: items.map(presentEntry),
        ...(entries.length > limit && last
          ? { nextCursor: encodeCursor(deps.vault, scope, String(last.seq)) }
          : {}),
      }
    },
    listAll: (filter, page) => audit.list(filter, page),
  }
}

function presentEntry({ id, actor, action, target, detail, createdAt }: AuditEntry): AuditLogEntry {
  return { id, actor, action, target, detail, created_at: createdAt }
}
