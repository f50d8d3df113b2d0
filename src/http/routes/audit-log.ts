import { Type } from 'typebox'
import { AuditLogEntry } from '../../contract/audit.ts'
import { cursorList } from '../../contract/envelope.ts'
import { cursorPage } from '../present/page.ts'
import { Limit, readLimit, Seconds, Select } from '../query/page.ts'
import { applicationRoute, type Route } from '../route.ts'

const Text = Type.Optional(Type.String({ minLength: 1, maxLength: 512 }))

/** The audit log of the caller's application (our extension). */
export function auditLogRoutes(): readonly Route[] {
  return [
    applicationRoute({
      method: 'GET',
      url: '/v3/audit-log',
      operationId: 'listAuditLog',
      summary: 'List who changed what, newest first (extension: Nylas has no such route)',
      tag: 'Audit log',
      query: {
        limit: Limit,
        page_token: Type.Optional(Type.String({ maxLength: 4096 })),
        actor: Text,
        action: Text,
        target: Text,
        since: Seconds,
        until: Seconds,
        select: Select,
      },
      response: cursorList(AuditLogEntry),
      handle: async ({ services, query }, caller) => {
        const { actor, action, target, since, until } = query
        const request = {
          limit: readLimit(query.limit),
          ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
          ...(actor === undefined ? {} : { actor }),
          ...(action === undefined ? {} : { action }),
          ...(target === undefined ? {} : { target }),
          ...(since === undefined ? {} : { since }),
          ...(until === undefined ? {} : { until }),
        }
        return cursorPage(await services.auditLog.list(caller, request))
      },
    }),
  ]
}
