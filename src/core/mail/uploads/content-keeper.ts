import { Readable } from 'node:stream'
import { appError } from '../../../contract/errors.ts'
import { decryptAead, encryptAead } from '../../../kit/aead.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { Logger } from '../../../kit/logger.ts'
import type { ContentKeeper, NewContent } from '../../ports/mail-services.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { Database } from '../../ports/stores.ts'
import type { SealPlace, Vault } from '../../ports/vault.ts'

/** Of one row: large enough that a message has few of them, small enough that a write holds nobody up. */
const PIECE_BYTES = 512 * 1024
const KEY_BYTES = 32

/**
 * Keeps bytes in the database, piece by piece: at no time more than a piece of them is in memory. Each content has a key
 * of its own, which the vault seals; its place and number are authenticated with each piece. A rotation of data keys
 * touches those keys only.
 */
export function createContentKeeper(deps: {
  readonly database: Database
  readonly vault: Vault
  readonly ids: Ids
  readonly log: Logger
}): ContentKeeper {
  const { contents } = deps.database.stores
  return {
    async store(grant, content, bytes) {
      const key = deps.ids.token(KEY_BYTES)
      await begin(grant, content, key)
      try {
        const sizeBytes = await write(content, Buffer.from(key, 'base64url'), bytes)
        if (await contents.finish(content.id, sizeBytes)) return sizeBytes
        throw appError('grant.not_found') // it went with its grant
      } catch (error) {
        // What is left behind expires.
        await contents
          .remove(content.id)
          .catch((failed: unknown) => deps.log.warn({ err: failed }, 'content.left_behind'))
        throw error
      }
    },
    open: (contentId) => Readable.from(read(contentId), { objectMode: false }),
    remove: (contentId) => contents.remove(contentId),
  }

  async function begin(grant: GrantRecord, content: NewContent, key: string): Promise<void> {
    await deps.database.transaction(async (stores) => {
      if (!(await stores.grants.hold(grant.id))) throw appError('grant.not_found')
      const record = {
        id: content.id,
        applicationId: grant.applicationId,
        grantId: grant.id,
        ownerId: content.ownerId,
        sealedKey: deps.vault.seal(placeOf(grant.applicationId, content.id), key),
      }
      await stores.contents.insert(record, content.expiresInMs)
    })
  }

  async function write(
    { id, maxBytes }: NewContent,
    key: Buffer,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    let sizeBytes = 0
    let position = 0
    for await (const piece of piecesOf(bytes)) {
      sizeBytes += piece.length
      if (sizeBytes > maxBytes) {
        throw appError('api.payload_too_large', `There are more than ${maxBytes} bytes.`)
      }
      await contents.addPiece(id, position, encryptAead(key, piece, aadOf(id, position)))
      position += 1
    }
    return sizeBytes
  }

  async function* read(id: string): AsyncGenerator<Buffer> {
    const record = await contents.find(id)
    if (!record || record.sizeBytes === null) throw new Error('kept bytes are gone')
    const opened = await deps.vault.open(placeOf(record.applicationId, id), record.sealedKey)
    const key = Buffer.from(opened, 'base64url')
    let readBytes = 0
    for (let position = 0; readBytes < record.sizeBytes; position += 1) {
      const box = await contents.piece(id, position)
      if (!box) throw new Error('kept bytes are gone')
      const piece = decryptAead(key, Buffer.from(box), aadOf(id, position))
      readBytes += piece.length
      yield piece
    }
  }
}

/** Cuts bytes into pieces of one size; the last may be shorter. */
async function* piecesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  for await (const chunk of bytes) {
    let rest = chunk
    while (waitingBytes + rest.length >= PIECE_BYTES) {
      const head = rest.subarray(0, PIECE_BYTES - waitingBytes)
      yield Buffer.concat([...waiting, head])
      rest = rest.subarray(head.length)
      waiting = []
      waitingBytes = 0
    }
    if (rest.length === 0) continue
    waiting.push(rest)
    waitingBytes += rest.length
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting)
}

function placeOf(applicationId: SealPlace['applicationId'], rowId: string): SealPlace {
  return { table: 'contents', column: 'sealed_key', rowId, applicationId }
}

function aadOf(contentId: string, position: number): string {
  return JSON.stringify(['content', contentId, position])
}
