import { appError } from '../../../contract/errors.ts'
import type { WireSignature } from '../../../contract/signature.ts'
import { sanitizeSignature } from '../../../formats/html/sanitize-signature.ts'
import { type Clock, unixSeconds } from '../../../kit/clock.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { SignatureReader } from '../../ports/mail-services.ts'
import type { SignatureRecord } from '../../ports/mail-stores-texts.ts'
import type { SignatureService } from '../../ports/mail-texts.ts'
import type { Database } from '../../ports/stores.ts'
import type { Vault } from '../../ports/vault.ts'
import { textPage } from '../text-list.ts'

const MAX_SIGNATURES = 10
const MAX_BODY_BYTES = 100 * 1024

/** Signatures of grants, kept by this server and put under messages by `signature_id` (contract/email.md 10). */
export function createSignatureService(deps: {
  readonly database: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
}): SignatureService {
  const { database, clock, ids } = deps
  const { signatures } = database.stores
  return {
    async list(grant, request) {
      const scope = { owner: grant.id, route: 'signatures' }
      const page = await textPage<SignatureRecord>(deps.vault, scope, request, (next) =>
        signatures.list(grant.id, next),
      )
      return { ...page, items: page.items.map(present) }
    },
    async find(grant, id) {
      const record = await signatures.find(grant.id, id)
      if (!record) throw notFound()
      return present(record)
    },
    async create(grant, { name, body }) {
      const now = unixSeconds(clock)
      const record: SignatureRecord = {
        id: ids.uuid(),
        applicationId: grant.applicationId,
        grantId: grant.id,
        name,
        body: checkBody(body),
        createdAt: now,
        updatedAt: now,
      }
      await database.transaction(async (stores) => {
        // The lock keeps two of them from both being the tenth.
        if (!(await stores.grants.findLocked(grant.applicationId, grant.id)))
          throw appError('grant.not_found')
        if ((await stores.signatures.count(grant.id)) >= MAX_SIGNATURES) {
          throw invalid(`A grant has at most ${MAX_SIGNATURES} signatures.`)
        }
        await stores.signatures.insert(record)
      })
      return present(record)
    },
    async update(grant, id, body) {
      const changed = body.body === undefined ? {} : { body: checkBody(body.body) }
      return await database.transaction(async (stores) => {
        if (!(await stores.grants.findLocked(grant.applicationId, grant.id)))
          throw appError('grant.not_found')
        const before = await stores.signatures.find(grant.id, id)
        if (!before) throw notFound()
        const record = {
          ...before,
          ...changed,
          name: body.name ?? before.name,
          updatedAt: unixSeconds(clock),
        }
        await stores.signatures.update(grant.id, id, record)
        return present(record)
      })
    },
    async delete(grant, id) {
      if (!(await signatures.delete(grant.id, id))) throw notFound()
    },
  }
}

/** Reads signatures for messages. */
export function createSignatureReader({ database }: { readonly database: Database }): SignatureReader {
  return {
    async html(grant, signatureId) {
      const record = await database.stores.signatures.find(grant.id, signatureId)
      if (!record) throw invalid('signature_id: this grant has no such signature')
      return record.body
    },
  }
}

function checkBody(body: string): string {
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) throw invalid('body has at most 100 KB')
  const sanitized = sanitizeSignature(body)
  // Writing entities out can make it longer.
  if (Buffer.byteLength(sanitized) > MAX_BODY_BYTES) throw invalid('body has at most 100 KB')
  return sanitized
}

function present(record: SignatureRecord): WireSignature {
  return {
    id: record.id,
    grant_id: record.grantId,
    name: record.name,
    body: record.body,
    object: 'signature',
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

function notFound() {
  return appError('api.not_found_error', 'This grant has no such signature.')
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
