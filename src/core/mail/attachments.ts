import { finished, pipeline, Transform, type Readable } from 'node:stream'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GrantSessions } from '../grants/sessions.ts'
import type { GrantSession } from '../ports/grant-session.ts'
import type { OpenedAttachment } from '../ports/mail.ts'
import type { MailService } from '../ports/services.ts'
import type { MailAccess } from './mail-access.ts'
import type { SharedReads } from './shared-reads.ts'

/** Whether the provider has stalled or the client reads no further: nothing holds a connection for ever. */
const STALL_MS = 60_000

type AttachmentCases = Pick<MailService, 'findAttachment' | 'openAttachment'>

/** Reads attachments; their bytes pass through and are never whole in memory. */
export function createAttachmentCases({
  access,
  reads,
  sessions,
  stallMs = STALL_MS,
}: {
  readonly access: MailAccess
  readonly reads: SharedReads
  readonly sessions: GrantSessions
  readonly stallMs?: number | undefined
}): AttachmentCases {
  return {
    async findAttachment(grant, ref, context) {
      const attachments = access.capability(grant, 'attachments', 'read attachments')
      return await reads.read(grant, ['attachment', ref], context, (session) =>
        attachments.find(session, ref),
      )
    },
    async openAttachment(grant, ref, context) {
      const attachments = access.capability(grant, 'attachments', 'read attachments')
      // What fails before the first byte is answered as an error, so it is waited for here.
      return await sessions.use(grant, context, async (session) => {
        const opened = await attachments.open(session, ref)
        const content = guarded(opened, session, stallMs)
        await started(content, session.signal)
        return { ...opened, content }
      })
    },
  }
}

/** Passes the bytes on, and fails where they are too few, too many, or don't move. */
function guarded(opened: OpenedAttachment, session: GrantSession, stallMs: number): Readable {
  const { sizeBytes, content } = opened
  let passed = 0
  const guard = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      stall.refresh()
      passed += chunk.length
      if (sizeBytes !== undefined && passed > sizeBytes) done(wrongSize())
      else done(null, chunk)
    },
    flush(done) {
      done(sizeBytes !== undefined && passed < sizeBytes ? wrongSize() : null)
    },
  })
  const stall = setTimeout(
    () => guard.destroy(new ProviderError('timeout', 'the attachment has stopped coming')),
    stallMs,
  )
  stall.unref()
  pipeline(content, guard, () => undefined) // how it ended is told below
  finished(guard, (error) => {
    clearTimeout(stall)
    // Once its first bytes have gone out, a cut connection is all the client sees.
    if (error) session.log.info({ err: error, passedBytes: passed }, 'attachment_cut')
  })
  return guard
}

function wrongSize(): ProviderError {
  return new ProviderError('malformed-response', 'the attachment is of another size than announced')
}

/** Waits until there is something to read, or it has ended. @throws what the stream fails with */
async function started(content: Readable, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const hangUp = () => content.destroy(new ProviderError('timeout', 'the request has ended'))
    const settle = (act: () => void) => {
      content.off('readable', onReadable)
      signal.removeEventListener('abort', hangUp)
      stopWatching()
      act()
    }
    const onReadable = () => settle(resolve)
    const stopWatching = finished(content, { writable: false }, (error) =>
      settle(() => (error ? reject(error) : resolve())),
    )
    content.on('readable', onReadable)
    signal.addEventListener('abort', hangUp, { once: true })
    if (signal.aborted) hangUp()
  })
}
