import { hash } from 'node:crypto'
import { appError } from '../../contract/errors.ts'
import type { ApplicationId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { auditWrite, type AdminDeps } from '../applications/audit-write.ts'
import type { ApiKeyRecord } from '../ports/records.ts'
import type { ApiKeyService, Caller } from '../ports/services.ts'
import { LiveKeyCache } from './live-key-cache.ts'

const KEY_BYTES = 32
const MIN_GIVEN_LENGTH = 32
const MAX_LENGTH = 512
const PRINTABLE = /^[\x21-\x7e]+$/

/**
 * Makes the API key use-cases. Keys are opaque and long, so their SHA-256 is what is stored and looked up:
 * the work is the same for every bearer and nothing compares key text.
 *
 * A revocation counts at once in this process and within 4 seconds in others.
 */
export function createApiKeyService(deps: AdminDeps): ApiKeyService {
  const { database, clock, ids } = deps
  const cache = new LiveKeyCache(clock)
  const manager = (applicationId: ApplicationId, actor: 'cli' | 'system' = 'system'): Caller => ({
    applicationId,
    actor,
  })

  return {
    async authenticate(bearer) {
      if (bearer === '' || bearer.length > MAX_LENGTH) return null
      const hash = hashOf(bearer)
      const cached = cache.get(hash)
      if (cached) return cached
      const remember = cache.startLookup()
      const key = await database.stores.apiKeys.findLive(hash)
      const application = key && (await database.stores.applications.find(key.applicationId))
      if (!key || !application) return null
      if (application.blocked) throw appError('api.resource_blocked', 'The application is blocked.')
      const caller: Caller = { applicationId: key.applicationId, actor: `key:${key.id}` }
      remember(hash, caller)
      return caller
    },

    async create(applicationId, options) {
      const value = options.value ?? ids.token(KEY_BYTES)
      if (value.length < MIN_GIVEN_LENGTH || value.length > MAX_LENGTH || !PRINTABLE.test(value)) {
        throw appError(
          'api.invalid_request_error',
          `An API key has ${MIN_GIVEN_LENGTH} to ${MAX_LENGTH} printable characters and no spaces.`,
        )
      }
      const record: ApiKeyRecord = {
        id: ids.uuid(),
        applicationId,
        name: options.name,
        hash: hashOf(value),
        createdAt: unixSeconds(clock),
        revokedAt: null,
      }
      await database.transaction(async (stores) => {
        if (!(await stores.applications.find(applicationId))) {
          throw appError('api.invalid_request_error', 'There is no application of that id.')
        }
        if (await stores.apiKeys.findLive(record.hash)) {
          throw appError('api.invalid_request_error', 'This API key exists already.')
        }
        await stores.apiKeys.insert(record)
        await auditWrite(
          stores,
          deps,
          manager(applicationId, options.actor),
          'key.created',
          `key:${record.id}`,
          {
            name: record.name,
          },
        )
      })
      return { record, value }
    },

    list: (applicationId) => database.stores.apiKeys.list(applicationId),

    async revoke(id, actor) {
      const revoked = await database.transaction(async (stores) => {
        const key = (await stores.apiKeys.list(null)).find((candidate) => candidate.id === id)
        if (!key || !(await stores.apiKeys.revoke(id, unixSeconds(clock)))) return false
        await auditWrite(stores, deps, manager(key.applicationId, actor), 'key.revoked', `key:${id}`)
        return true
      })
      cache.forgetAll()
      return revoked
    },
  }
}

function hashOf(key: string): string {
  return hash('sha256', key, 'hex')
}
