import { initial } from './0001-initial.ts'
import { eventsAndJobs } from './0002-events-and-jobs.ts'
import { keyRotation } from './0003-key-rotation.ts'
import { hostedAuthentication } from './0005-hosted-authentication.ts'
import type { Migration } from './migration.ts'

/** Every migration, oldest first. */
export const MIGRATIONS: readonly Migration[] = [initial, eventsAndJobs, keyRotation, hostedAuthentication]
