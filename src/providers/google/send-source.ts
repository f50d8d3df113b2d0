import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GoogleApi, readObject } from './api.ts'
import { at } from './endpoints.ts'

/** Largest source Gmail takes (discovery document, `mediaUpload.maxSize`, checked 2026-11). */
export const MAX_SOURCE_BYTES = 36_700_160
/** In base64 this stays under the 5 MB up to which Google wants a simple request (Gmail guide "uploads", 2026-11). */
const INLINE_MAX_BYTES = 3_750_000
/** Up to 35 MB go up, and Gmail delivers before it answers. */
const TIMEOUT_MS = 150_000

/** A source on its way into Gmail. */
export interface SourceCall {
  readonly method: 'POST' | 'PUT'
  /** below the Gmail base: `/gmail/v1/users/me/…` */
  readonly path: string
  readonly source: Uint8Array
  readonly threadId?: string
  /** The resource is a draft, and the message inside it. */
  readonly isDraft: boolean
  /** Whether the call may be made again where the answer to the first leaves it open. */
  readonly isRepeatable: boolean
}

/**
 * Hands a source to Gmail: inside JSON where it is small, else as an upload in one request.
 * @returns the resource that Gmail made
 * @throws ProviderError `too-large` without asking Gmail; all others of the call
 */
export async function sendSource(api: GoogleApi, gmailUrl: string, call: SourceCall): Promise<JsonObject> {
  const { method, path, source, isRepeatable } = call
  checkSize(source.length)
  const thread = call.threadId ? { threadId: call.threadId } : {}
  const shared = { method, isRepeatable, timeoutMs: TIMEOUT_MS }
  if (source.length <= INLINE_MAX_BYTES) {
    const message = { raw: Buffer.from(source).toString('base64url'), ...thread }
    return readObject(
      await api.send({
        ...shared,
        url: at(gmailUrl, path),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(call.isDraft ? { message } : message),
      }),
    )
  }
  const boundary = `upload_${randomUUID()}`
  const metadata = JSON.stringify(call.isDraft ? { message: thread } : thread)
  return readObject(
    await api.send({
      ...shared,
      url: at(gmailUrl, `/upload${path}?uploadType=multipart`),
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: Buffer.concat([
        Buffer.from(
          `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${metadata}\r\n` +
            `--${boundary}\r\nContent-Type: message/rfc822\r\n\r\n`,
        ),
        source,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]),
    }),
  )
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes <= MAX_SOURCE_BYTES) return
  const message = `The message has ${sizeBytes} bytes; Gmail takes ${MAX_SOURCE_BYTES}.`
  throw new ProviderError('too-large', message, { answered: true })
}
