import { createHash, timingSafeEqual } from 'node:crypto'
import { appError } from '../../../contract/errors.ts'
import { MAX_UPLOAD_BYTES } from '../../../contract/upload.ts'
import { AppError } from '../../../kit/app-error.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { ContentKeeper, UploadedFiles, UploadService } from '../../ports/mail-services.ts'
import type { UploadRecord } from '../../ports/mail-stores-content.ts'
import type { Database } from '../../ports/stores.ts'
import type { MailAccess } from '../mail-access.ts'
import { checkHeaderText } from '../outgoing/field-checks.ts'

/** From the start of a session: for its bytes, and for the message that names it (contract/email.md 9.4). */
export const UPLOAD_LIFE_MS = 60 * 60 * 1000
const TOKEN_BYTES = 32

/**
 * Sessions of large uploads. The bytes stay here, sealed, until a message or draft takes them or the hour is over. The
 * address they are put to carries a token of its own, of which only a hash is kept. Any process of the installation
 * takes any step.
 */
export function createUploads(deps: {
  readonly database: Database
  readonly access: MailAccess
  readonly contents: ContentKeeper
  readonly ids: Ids
  /** The address clients use, without a slash at its end. */
  readonly publicUrl: () => string
}): UploadService & UploadedFiles {
  const { uploads, grants } = deps.database.stores
  return {
    async create(grant, { filename, content_type: contentType, size = 0 }) {
      if (deps.access.facts(grant)?.takesLargeUploads !== true) {
        throw appError('unauthorized', `Large uploads are not supported by ${grant.provider} grants.`)
      }
      checkHeaderText(filename, 'filename')
      checkHeaderText(contentType, 'content_type')
      const id = deps.ids.uuid()
      const token = deps.ids.token(TOKEN_BYTES)
      const made = await deps.database.transaction(async (stores) => {
        if (!(await stores.grants.hold(grant.id))) throw appError('grant.not_found')
        const { id: grantId, applicationId } = grant
        const record = { id, applicationId, grantId, filename, contentType, announcedBytes: size }
        await stores.uploads.insert({ ...record, tokenHash: hashOf(token) }, UPLOAD_LIFE_MS)
        return await stores.uploads.find(id)
      })
      if (!made) throw new Error('an upload is gone in the transaction that made it')
      return {
        attachment_id: id,
        grant_id: grant.id,
        method: 'PUT',
        url: `${deps.publicUrl()}/v3/attachment-uploads/${id}/${token}`,
        headers: { 'Content-Type': contentType },
        expires_at: new Date(made.expiresAt * 1000).toISOString(),
        max_size: MAX_UPLOAD_BYTES,
        size,
        content_type: contentType,
        filename,
      }
    },
    async receive(id, token, bytes) {
      const upload = await uploads.find(id)
      if (!upload || !isSame(upload.tokenHash, hashOf(token))) throw unknownUpload()
      checkOpen(upload)
      const grant = await grants.find(upload.applicationId, upload.grantId)
      if (!grant) throw unknownUpload()
      const contentId = deps.ids.uuid()
      const { announcedBytes } = upload
      const sizeBytes = await deps.contents
        .store(
          grant,
          {
            id: contentId,
            ownerId: id,
            expiresInMs: UPLOAD_LIFE_MS,
            maxBytes: announcedBytes || MAX_UPLOAD_BYTES,
          },
          bytes,
        )
        .catch((error: unknown) => {
          throw announcedBytes > 0 && isTooLarge(error) ? otherSize(announcedBytes) : error
        })
      const isWhole = sizeBytes > 0 && (announcedBytes === 0 || sizeBytes === announcedBytes)
      if (isWhole && (await uploads.setContent(id, { id: contentId, sizeBytes }))) {
        if (upload.content) await deps.contents.remove(upload.content.id)
        return
      }
      await deps.contents.remove(contentId)
      if (!isWhole) throw sizeBytes === 0 ? appError('upload.incomplete') : otherSize(announcedBytes)
      // It was completed, or its hour ended, while the bytes came.
      const now = await uploads.find(id)
      if (now) checkOpen(now)
      throw unknownUpload()
    },
    async complete(grant, id) {
      const upload = await uploads.find(id)
      if (upload?.grantId !== grant.id) throw unknownUpload()
      checkOpen(upload)
      if (!upload.content) throw appError('upload.incomplete')
      if (!(await uploads.complete(id, upload.content.id))) throw appError('upload.conflict')
      return { attachment_id: id, grant_id: grant.id, status: 'ready' }
    },
    async take(grant, attachmentId, field) {
      const upload = await uploads.find(attachmentId)
      if (upload?.grantId !== grant.id || upload.state !== 'ready' || upload.isExpired || !upload.content) {
        throw appError('api.invalid_request_error', `${field} names no completed upload: ${attachmentId}`)
      }
      const { id, sizeBytes } = upload.content
      return {
        filename: upload.filename,
        contentType: upload.contentType,
        isInline: false,
        sizeBytes,
        open: () => deps.contents.open(id),
      }
    },
  }
}

/** @throws AppError 409, 410 */
function checkOpen(upload: UploadRecord): void {
  if (upload.state !== 'uploading') throw appError('upload.conflict')
  if (upload.isExpired) throw appError('upload.expired')
}

function unknownUpload(): AppError {
  return appError('api.not_found_error', 'There is no such upload.')
}

function otherSize(announcedBytes: number): AppError {
  return appError('upload.incomplete', `The upload was announced with ${announcedBytes} bytes.`)
}

function isTooLarge(error: unknown): boolean {
  return error instanceof AppError && error.status === 413
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function isSame(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
