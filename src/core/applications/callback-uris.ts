import { appError } from '../../contract/errors.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { CallbackUriRecord } from '../ports/records.ts'
import type { CallbackUriService, Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import { allowsQueryInRedirectUri } from './application-settings.ts'
import { auditWrite, type AdminDeps } from './audit-write.ts'
import { checkCallbackUri } from './callback-uri-rules.ts'
import { presentCallbackUri } from './present-callback-uri.ts'

/** Makes the callback URI use-cases (contract/auth.md 7.2). */
export function createCallbackUriService(deps: AdminDeps): CallbackUriService {
  const { database, clock, ids } = deps
  return {
    async list(caller) {
      return (await database.stores.callbackUris.list(caller.applicationId)).map(presentCallbackUri)
    },

    async create(caller, body) {
      const { url } = body
      if (url === undefined) throw appError('api.invalid_request_error', 'url is required')
      return database.transaction(async (stores) => {
        const checked = checkCallbackUri({ ...body, url }, { allowQuery: await allowQuery(stores, caller) })
        const record: CallbackUriRecord = {
          id: ids.uuid(),
          applicationId: caller.applicationId,
          ...checked,
          createdAt: unixSeconds(clock),
        }
        if (!(await stores.callbackUris.insert(record))) throw duplicate()
        await auditWrite(stores, deps, caller, 'callback_uri.created', `callback_uri:${record.id}`, {
          url: withoutQuery(url),
        })
        return presentCallbackUri(record)
      })
    },

    async find(caller, id) {
      return presentCallbackUri(await findOrThrow(database.stores, caller, id))
    },

    async update(caller, id, body) {
      return database.transaction(async (stores) => {
        const before = await findOrThrow(stores, caller, id)
        const merged = {
          url: body.url ?? before.url,
          platform: body.platform ?? before.platform,
          settings: body.settings ?? before.settings,
        }
        const checked = checkCallbackUri(merged, { allowQuery: await allowQuery(stores, caller) })
        const record: CallbackUriRecord = { ...before, ...checked }
        if (!(await stores.callbackUris.update(record))) throw duplicate()
        await auditWrite(stores, deps, caller, 'callback_uri.updated', `callback_uri:${id}`, {
          url: withoutQuery(record.url),
        })
        return presentCallbackUri(record)
      })
    },

    async delete(caller, id) {
      await database.transaction(async (stores) => {
        if (!(await stores.callbackUris.delete(caller.applicationId, id))) throw notFound()
        await auditWrite(stores, deps, caller, 'callback_uri.deleted', `callback_uri:${id}`)
      })
    },
  }
}

async function allowQuery(stores: Stores, caller: Caller): Promise<boolean> {
  const application = await stores.applications.find(caller.applicationId)
  return application !== null && allowsQueryInRedirectUri(application.settings)
}

async function findOrThrow(stores: Stores, caller: Caller, id: string): Promise<CallbackUriRecord> {
  const record = await stores.callbackUris.find(caller.applicationId, id)
  if (!record) throw notFound()
  return record
}

/** A query may hold a secret of the receiver's, which the audit log must not keep. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '')
}

function notFound() {
  return appError('api.not_found_error', 'Callback URI not found.')
}

function duplicate() {
  return appError('api.invalid_request_error', 'url is registered already')
}
