import { initial } from './0001-initial.ts'
import { eventsAndJobs } from './0002-events-and-jobs.ts'
import { keyRotation } from './0003-key-rotation.ts'
import { hostedAuthentication } from './0005-hosted-authentication.ts'
import { idempotency } from './0006-idempotency.ts'
import { metadata } from './0007-metadata.ts'
import { signaturesAndTemplates } from './0010-signatures-and-templates.ts'
import { scheduledSends } from './0008-scheduled-sends.ts'
import { content } from './0009-content.ts'
import { tracking } from './0011-tracking.ts'
import { imapIndex } from './0012-imap-index.ts'
import type { Migration } from './migration.ts'

/** Every migration, oldest first. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  eventsAndJobs,
  keyRotation,
  hostedAuthentication,
  idempotency,
  metadata,
  scheduledSends,
  content,
  signaturesAndTemplates,
  tracking,
  imapIndex,
]
