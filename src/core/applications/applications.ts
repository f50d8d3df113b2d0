import type { ApplicationUpdateBody } from '../../contract/application.ts'
import { appError } from '../../contract/errors.ts'
import { applicationId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { ApplicationRecord, CallbackUriRecord } from '../ports/records.ts'
import type { ApplicationService, Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import {
  allowsQueryInRedirectUri,
  applyApplicationUpdate,
  presentApplication,
} from './application-settings.ts'
import { auditWrite, type AdminDeps } from './audit-write.ts'
import { checkCallbackUri } from './callback-uri-rules.ts'

const ID = /^[A-Za-z0-9._-]{1,128}$/

/** Makes the application use-cases (contract/auth.md 7.1). */
export function createApplicationService(deps: AdminDeps): ApplicationService {
  const { database, clock, ids } = deps
  return {
    async create(options) {
      const id = options.id ?? ids.uuid()
      if (!ID.test(id)) {
        throw appError(
          'api.invalid_request_error',
          'An application id has 1 to 128 letters, digits, dots, dashes or underscores.',
        )
      }
      const now = unixSeconds(clock)
      const record: ApplicationRecord = {
        id: applicationId(id),
        name: options.name,
        settings: {},
        blocked: false,
        createdAt: now,
        updatedAt: now,
      }
      await database.transaction(async (stores) => {
        if (await stores.applications.find(record.id)) {
          throw appError('api.invalid_request_error', 'An application of that id exists already.')
        }
        await stores.applications.insert(record)
        const creator: Caller = { applicationId: record.id, actor: options.actor ?? 'system' }
        await auditWrite(stores, deps, creator, 'application.created', `application:${id}`)
      })
      return record
    },

    list: () => database.stores.applications.list(),

    async get(caller) {
      const record = await findOrThrow(database.stores, caller)
      return presentApplication(record, await database.stores.callbackUris.list(caller.applicationId))
    },

    async update(caller, body) {
      return database.transaction(async (stores) => {
        const before = await findOrThrow(stores, caller)
        const record: ApplicationRecord = {
          ...before,
          ...applyApplicationUpdate(before, body),
          updatedAt: unixSeconds(clock),
        }
        await stores.applications.update(record)
        if (body.callback_uris) await replaceCallbackUris(stores, deps, record, body.callback_uris)
        await auditWrite(stores, deps, caller, 'application.updated', `application:${record.id}`, {
          fields: Object.keys(body),
        })
        return presentApplication(record, await stores.callbackUris.list(record.id))
      })
    },
  }
}

/**
 * Makes the list of callback URIs the given one: entries with an id are kept and changed, those without are
 * made (or found again by their URL), all others go.
 */
async function replaceCallbackUris(
  stores: Stores,
  deps: AdminDeps,
  application: ApplicationRecord,
  given: NonNullable<ApplicationUpdateBody['callback_uris']>,
): Promise<void> {
  const before = await stores.callbackUris.list(application.id)
  const named = new Set(given.map((entry) => entry.id).filter((id) => id !== undefined))
  const allowQuery = allowsQueryInRedirectUri(application.settings)
  const after = given.map((entry, index): CallbackUriRecord => {
    const at = `callback_uris.${index}.`
    const known =
      entry.id === undefined
        ? before.find((record) => record.url === entry.url && !named.has(record.id))
        : before.find((record) => record.id === entry.id)
    if (entry.id !== undefined && !known) {
      throw appError('api.invalid_request_error', `${at}id is not a callback URI of this application`)
    }
    const checked = checkCallbackUri(
      {
        url: entry.url,
        platform: entry.platform ?? known?.platform,
        settings: entry.settings ?? known?.settings,
      },
      { allowQuery },
      at,
    )
    return {
      id: known?.id ?? deps.ids.uuid(),
      applicationId: application.id,
      ...checked,
      createdAt: known?.createdAt ?? unixSeconds(deps.clock),
    }
  })
  // All go and come back, so that two entries may swap their URLs.
  for (const record of before) await stores.callbackUris.delete(application.id, record.id)
  for (const [index, record] of after.entries()) {
    const repeatsId = after.findIndex((other) => other.id === record.id) !== index
    if (repeatsId || !(await stores.callbackUris.insert(record))) {
      throw appError('api.invalid_request_error', `callback_uris.${index} is there twice`)
    }
  }
}

async function findOrThrow(stores: Stores, caller: Caller): Promise<ApplicationRecord> {
  const record = await stores.applications.find(caller.applicationId)
  if (!record) throw appError('token.unauthorized_access')
  return record
}
