import { Type } from 'typebox'
import { Application, ApplicationUpdateBody } from '../../contract/application.ts'
import { single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import type { Caller } from '../../core/ports/services.ts'
import { Select } from '../query/page.ts'
import { applicationRoute, type Route } from '../route.ts'

/** `PATCH /v3/applications` answers `success` too (contract/auth.md rule 3). */
const Updated = Type.Object({ ...single(Application).properties, success: Type.Literal(true) })

/** The application of the API key, and the alias with its own id that the official CLI calls. */
export function applicationRoutes(): readonly Route[] {
  const tag = 'Applications'
  const own = (caller: Caller, id: string) => {
    if (id !== caller.applicationId) throw appError('api.not_found_error', 'Application not found.')
  }
  return [
    applicationRoute({
      method: 'GET',
      url: '/v3/applications',
      operationId: 'getApplication',
      summary: 'Get the application of the API key',
      tag,
      query: { select: Select },
      response: single(Application),
      handle: async ({ services }, caller) => ({ data: await services.applications.get(caller) }),
    }),
    applicationRoute({
      method: 'PATCH',
      url: '/v3/applications',
      operationId: 'updateApplication',
      summary: 'Change the application; nested objects are replaced whole',
      tag,
      body: ApplicationUpdateBody,
      response: Updated,
      handle: async ({ services, body }, caller) => ({
        success: true,
        data: await services.applications.update(caller, body),
      }),
    }),
    applicationRoute({
      method: 'GET',
      url: '/v3/applications/:id',
      operationId: 'getApplicationById',
      summary: 'Get the application by its id',
      tag,
      hidden: true,
      params: { id: Type.String() },
      query: { select: Select },
      response: single(Application),
      handle: async ({ services, params }, caller) => {
        own(caller, params.id)
        return { data: await services.applications.get(caller) }
      },
    }),
    applicationRoute({
      method: 'PATCH',
      url: '/v3/applications/:id',
      operationId: 'updateApplicationById',
      summary: 'Change the application by its id',
      tag,
      hidden: true,
      params: { id: Type.String() },
      body: ApplicationUpdateBody,
      response: Updated,
      handle: async ({ services, params, body }, caller) => {
        own(caller, params.id)
        return { success: true, data: await services.applications.update(caller, body) }
      },
    }),
  ]
}
