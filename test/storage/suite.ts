import { after, before, describe } from 'node:test'
import type { Database } from '../../src/core/ports/stores.ts'
import { coversAdminRecords } from './suite-admin.ts'
import { coversDataKeys } from './suite-data-keys.ts'
import { coversGrantLists } from './suite-grant-lists.ts'
import { coversGrants } from './suite-grants.ts'
import { coversImports } from './suite-imports.ts'
import { coversOAuth } from './suite-oauth.ts'
import { coversImapIndex } from './suite-imap-index.ts'
import { coversMetadata } from './suite-metadata.ts'
import { coversMeasures } from './suite-measures.ts'
import { coversQueue } from './suite-queue.ts'
import { coversScheduled } from './suite-scheduled.ts'
import { coversSending } from './suite-sending.ts'
import { coversRefreshDue } from './suite-refresh-due.ts'
import { coversSecrets } from './suite-secrets.ts'
import { coversSeenTokens } from './suite-seen-tokens.ts'
import { coversTracking } from './suite-tracking.ts'
import { coversTexts } from './suite-texts.ts'
import { coversTransactions } from './suite-transactions.ts'

/** A fresh database of one engine, migrated. */
export interface FreshDatabase {
  readonly database: Database
  /** Another handle to the same database; where an engine has only one per process, the same. */
  other(): Promise<Database>
  /** A handle to the same database whose clock is that far ahead of `database` as it was opened. */
  later(ms: number): Promise<Database>
  close(): Promise<void>
}

/** Gives the fresh database inside a test. */
export type Subject = () => FreshDatabase

/** The conformance suite: what every engine must pass. Tests keep apart by using applications of their own. */
export function describeStorage(engine: string, open: () => Promise<FreshDatabase>): void {
  describe(`storage on ${engine}`, () => {
    let fresh: FreshDatabase | undefined
    before(async () => {
      fresh = await open()
    })
    after(() => fresh?.close())
    const subject = () => {
      if (!fresh) throw new Error('the database did not open')
      return fresh
    }
    coversAdminRecords(subject)
    coversGrants(subject)
    coversGrantLists(subject)
    coversSecrets(subject)
    coversSeenTokens(subject)
    coversTransactions(subject)
    coversQueue(subject)
    coversMeasures(subject)
    coversDataKeys(subject)
    coversRefreshDue(subject)
    coversImports(subject)
    coversOAuth(subject)
    coversMetadata(subject)
    coversTexts(subject)
    coversImapIndex(subject)
    coversSending(subject)
    coversTracking(subject)
    coversScheduled(subject)
  })
}
