import { Readable } from 'node:stream'
import type { Attachment } from '../../contract/message.ts'
import type { AttachmentRef, AttachmentsPort, OpenedAttachment } from '../../core/ports/mail.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import { createTransferDecoder, type TransferDecoder } from '../../formats/mime/transfer-decoder.ts'
import { withDeadline } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { findAttachment } from './find-attachment.ts'
import { findEntry, notFound } from './find-message.ts'
import { refuseShared } from './folders.ts'
import type { MailboxRunner } from './in-mailbox.ts'
import { type MailboxView, present } from './list-messages.ts'
import type { MessagePlace } from './message-id.ts'
import { openFolder } from './open-folder.ts'

/** Bytes asked for at once: what a download holds in memory, twice. */
const PIECE_BYTES = 512 * 1024
/** A piece, the wait for a connection included. */
const PIECE_TIMEOUT_MS = 60_000
/** Larger parts are no mail: 25 to 50 MB is what servers take (checked 2026-11). */
const PART_LIMIT = 1024 * 1024 * 1024

/** Where the bytes of a part are, and how they are encoded. */
interface PartPlace extends MessagePlace {
  readonly section: string
  readonly encoding: string | undefined
  /** as the server told; it may be wrong */
  readonly encodedBytes: number
}

/**
 * Makes the port of attachments. A download is read in pieces, each on a connection of its own for as long as it
 * takes: a slow reader keeps none, many readers share the few there are, and a connection that breaks costs one
 * piece.
 */
export function createAttachments(
  openMailbox: (session: GrantSession) => Promise<MailboxRunner>,
): AttachmentsPort {
  return {
    async find(session, ref) {
      const run = await openMailbox(session)
      return run(session.signal, async (view) => (await findPart(view, ref)).attachment)
    },
    async open(session, ref) {
      const run = await openMailbox(session)
      const { attachment, place, first } = await run(session.signal, async (view) => {
        const found = await findPart(view, ref)
        return { ...found, first: await readPiece(view, found.place, 0) }
      })
      return opened(attachment, place, first, run)
    },
  }
}

async function findPart(
  view: MailboxView,
  ref: AttachmentRef,
): Promise<{ readonly attachment: Attachment; readonly place: PartPlace }> {
  refuseShared(ref.sharedFrom)
  const { entry } = await findEntry(view, ref.messageId)
  const [message] = await present(view, [entry], { fields: 'standard', select: ['attachments'] })
  if (!message || !('subject' in message)) throw notFound()
  const at = findAttachment(message.attachments ?? [], ref.attachmentId)
  const attachment = message.attachments?.[at]
  const leaf = entry.message.head.parts.attachments[at]
  if (!attachment || !leaf) throw new ProviderError('not-found', 'attachment not found')
  const { path, uidValidity } = entry.folder
  return {
    attachment,
    place: {
      path,
      uidValidity,
      uid: entry.message.uid,
      // A message that is one part has its bytes in TEXT, whatever its type (RFC 9051 section 6.4.5.1).
      section: leaf.node.part === undefined ? 'text' : leaf.part,
      encoding: leaf.node.encoding,
      encodedBytes: leaf.node.size ?? 0,
    },
  }
}

interface Piece {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/** Reads the bytes of a part from an offset on. */
async function readPiece(view: MailboxView, place: PartPlace, start: number): Promise<Piece> {
  const { client } = view
  const isOpen = client.mailbox && client.mailbox.path === place.path
  const isSame = isOpen && client.mailbox && Number(client.mailbox.uidValidity) === place.uidValidity
  if (!isSame && (await openFolder(client, place.path))?.uidValidity !== place.uidValidity) throw notFound()
  const part = { key: place.section, start, maxLength: PIECE_BYTES }
  const answer = await client.fetchOne(String(place.uid), { uid: true, bodyParts: [part] }, { uid: true })
  if (!answer) throw notFound()
  const bytes = answer.bodyParts?.get(place.section)
  if (!bytes) {
    // Nothing more, or nothing at all (NIL), which is an empty part.
    return { bytes: new Uint8Array(), isLast: true }
  }
  return pieceOf(bytes, originOf(answer, place.section), start, place.encodedBytes)
}

/** Judges what came. Some servers ignore what was asked and send the whole part (imapflow names Tencent Exmail). */
function pieceOf(bytes: Uint8Array, origin: number | undefined, start: number, toldBytes: number): Piece {
  if (origin !== undefined && origin !== start) {
    throw new ProviderError('malformed-response', 'The mail server sent another piece than was asked for.')
  }
  const isWhole = origin === undefined && (start % PIECE_BYTES === 0 ? false : bytes.length >= start)
  if (bytes.length > PIECE_BYTES || isWhole) return { bytes: bytes.subarray(start), isLast: true }
  const reachesEnd = start + bytes.length >= toldBytes
  // The size that was told may be wrong: a full piece is followed by another, a short one that comes too early, too.
  const isLast = bytes.length < PIECE_BYTES ? reachesEnd : reachesEnd && origin === undefined
  return { bytes, isLast: isLast || bytes.length === 0 }
}

/** Where the piece begins, as the server says; imapflow has it, but not in its types. */
function originOf(answer: object, section: string): number | undefined {
  const origins: unknown = 'partialOrigins' in answer ? answer.partialOrigins : undefined
  const origin: unknown = origins instanceof Map ? origins.get(section) : undefined
  return typeof origin === 'number' ? origin : undefined
}

function opened(
  attachment: Attachment,
  place: PartPlace,
  first: Piece,
  run: MailboxRunner,
): OpenedAttachment {
  const decoder = createTransferDecoder(place.encoding)
  if (first.isLast) {
    const content = Buffer.concat([decoder.write(first.bytes), decoder.end()])
    // Only here the size is sure: servers' sizes are estimates.
    return { attachment, sizeBytes: content.length, content: Readable.from([content].filter(isNotEmpty)) }
  }
  const gone = new AbortController()
  const read = (start: number) =>
    run(withDeadline(gone.signal, PIECE_TIMEOUT_MS), (view) => readPiece(view, place, start))
  const content = Readable.from(piecesOf(first, decoder, read), { objectMode: false, highWaterMark: 1 })
  content.once('close', () => gone.abort())
  return { attachment, content }
}

async function* piecesOf(
  first: Piece,
  decoder: TransferDecoder,
  read: (start: number) => Promise<Piece>,
): AsyncGenerator<Uint8Array> {
  let piece = first
  let start = 0
  for (;;) {
    const decoded = decoder.write(piece.bytes)
    if (isNotEmpty(decoded)) yield decoded
    if (piece.isLast) break
    start += piece.bytes.length
    if (start > PART_LIMIT) {
      throw new ProviderError('malformed-response', 'The mail server sends an attachment without an end.')
    }
    piece = await read(start)
  }
  const rest = decoder.end()
  if (isNotEmpty(rest)) yield rest
}

function isNotEmpty(bytes: Uint8Array): boolean {
  return bytes.length > 0
}
