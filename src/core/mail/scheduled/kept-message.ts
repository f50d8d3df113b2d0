import { Readable } from 'node:stream'
import { isJsonObject, parseJson } from '../../../kit/json.ts'
import type { ContentKeeper, PreparedMessage } from '../../ports/mail-services.ts'
import type { NewScheduledSend } from '../../ports/mail-stores-scheduled.ts'
import type { OutgoingAttachment, OutgoingMessage } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { SealPlace, Vault } from '../../ports/vault.ts'

/** A file of a scheduled message, with the name its bytes are kept under; null where the provider has them. */
interface KeptFile {
  readonly facts: Omit<OutgoingAttachment, 'open'>
  readonly contentId: string | null
}

/** A message that waits: small enough for its row, whatever its body and files weigh. */
export interface KeptMessage {
  readonly message: Omit<OutgoingMessage, 'attachments'>
  /** A large body is kept as the files are; the message's own is empty then. */
  readonly bodyContentId: string | null
  readonly files: readonly KeptFile[]
  readonly extras: Omit<PreparedMessage, 'message'>
  /** the draft at the provider that will be sent */
  readonly draftId: string | null
}

/** Goes up with every change of `KeptMessage`: what waits may have been stored by another version of this server. */
const VERSION = 1

/** A message that another version of this server has kept in a shape of its own. */
export class KeptByAnotherVersion extends Error {
  override readonly name = 'KeptByAnotherVersion'
}

/** A longer body is kept apart: a key rotation holds a hundred rows in memory. */
const MOST_BODY_CHARS = 64 * 1024
/** Until the schedule is stored, which keeps them for as long as it waits. */
const UNOWNED_LIFE_MS = 60 * 60 * 1000

/**
 * Keeps body and files of a message under the schedule's id.
 * @returns what is to be sealed in its row, and how many contents were stored
 */
export async function keepContents(
  contents: ContentKeeper,
  grant: GrantRecord,
  ownerId: string,
  { message, ...extras }: PreparedMessage,
): Promise<{ readonly kept: KeptMessage; readonly stored: number }> {
  const { attachments, ...rest } = message
  const store = async (name: string, bytes: Readable) => {
    const id = `${ownerId}.${name}`
    const content = { id, ownerId, expiresInMs: UNOWNED_LIFE_MS, maxBytes: Infinity }
    return { id, sizeBytes: await contents.store(grant, content, bytes) }
  }
  const files: KeptFile[] = []
  for (const [index, file] of attachments.entries()) {
    const { id, sizeBytes } = await store(String(index), file.open())
    files.push({ facts: { ...factsOf(file), sizeBytes }, contentId: id })
  }
  const whole = { message: rest, bodyContentId: null, files, extras, draftId: null }
  if (rest.body.length <= MOST_BODY_CHARS) return { kept: whole, stored: files.length }
  const body = await store('body', Readable.from([Buffer.from(rest.body, 'utf8')]))
  return {
    kept: { ...whole, message: { ...rest, body: '' }, bodyContentId: body.id },
    stored: files.length + 1,
  }
}

/** What is kept of a message that waits as a draft at the provider: all that tells which it was. */
export function keepDraft(draftId: string, { message, ...extras }: PreparedMessage): KeptMessage {
  const { attachments, ...rest } = message
  return {
    message: { ...rest, body: '' },
    bodyContentId: null,
    files: attachments.map((file) => ({ facts: factsOf(file), contentId: null })),
    extras,
    draftId,
  }
}

/** Seals what a schedule keeps of its message. */
export function sealKept(
  vault: Vault,
  send: Pick<NewScheduledSend, 'id' | 'applicationId'>,
  kept: KeptMessage,
): string {
  return vault.seal(placeOf(send), JSON.stringify({ version: VERSION, ...kept }))
}

/** Opens it. @throws KeptByAnotherVersion, or what else keeps it from being read: a fault of ours */
export async function openKept(
  vault: Vault,
  send: Pick<NewScheduledSend, 'id' | 'applicationId' | 'sealedMessage'>,
): Promise<KeptMessage> {
  const kept = parseJson(await vault.open(placeOf(send), send.sealedMessage))
  if (!isJsonObject(kept)) throw new Error('a kept message cannot be read')
  if (kept['version'] !== VERSION) throw new KeptByAnotherVersion('a kept message has another version')
  // The seal proves that `sealKept` wrote it, and the version that it wrote this shape.
  return kept as unknown as KeptMessage
}

/** Makes the message again, its files opened as they are read. */
export async function prepareKept(contents: ContentKeeper, kept: KeptMessage): Promise<PreparedMessage> {
  const body =
    kept.bodyContentId === null ? kept.message.body : await readText(contents.open(kept.bodyContentId))
  const prepared = preparedFacts(contents, kept)
  return { ...prepared, message: { ...prepared.message, body } }
}

/** The message without a body that is kept apart: for what is told about it. */
export function preparedFacts(contents: ContentKeeper, kept: KeptMessage): PreparedMessage {
  const attachments = kept.files.map(({ facts, contentId }) => ({
    ...facts,
    open: () => (contentId === null ? Readable.from([]) : contents.open(contentId)),
  }))
  return { ...kept.extras, message: { ...kept.message, attachments } }
}

function factsOf(file: OutgoingAttachment): KeptFile['facts'] {
  return {
    filename: file.filename,
    contentType: file.contentType,
    ...(file.contentId === undefined ? {} : { contentId: file.contentId }),
    isInline: file.isInline,
    sizeBytes: file.sizeBytes,
  }
}

async function readText(bytes: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

function placeOf({ id, applicationId }: Pick<NewScheduledSend, 'id' | 'applicationId'>): SealPlace {
  return { table: 'scheduled_sends', column: 'sealed_message', rowId: id, applicationId }
}
