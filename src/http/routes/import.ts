import { Type } from 'typebox'
import { appError } from '../../contract/errors.ts'
import { ImportReport } from '../../contract/import.ts'
import { single } from '../../contract/envelope.ts'
import { readRows } from '../../core/import/read-rows.ts'
import { noCounts, runImport } from '../../core/import/run-import.ts'
import type { RowResult } from '../../core/ports/import.ts'
import { applicationRoute, type Route } from '../route.ts'

const TYPES = ['application/x-ndjson', 'application/jsonl', 'text/csv']
/** A transaction per batch: on the embedded database other requests wait for one. */
const BATCH_ROWS = 200
const BATCH_ROWS_VERIFIED = 16
/** Failed rows that are answered; the counts tell of all. */
const MOST_ERRORS = 1000
/** The answer must come before the request's own deadline, with batches under way still to finish. */
const READ_FOR_MS = 60_000

/** Bulk import of grants: an extension, Nylas has no such route. */
export function importRoutes(): readonly Route[] {
  return [
    applicationRoute({
      method: 'POST',
      url: '/v3/grants/import',
      operationId: 'importGrants',
      summary:
        'Import grants from NDJSON or CSV (docs/import.md). The same body again goes on where it stopped: rows that are there are skipped',
      tag: 'Grants',
      streams: TYPES,
      query: {
        dry_run: Type.Optional(Type.Boolean({ description: 'Check every row and write nothing' })),
        verify: Type.Optional(
          Type.Union([Type.Literal('lazy'), Type.Literal('now')], {
            description: 'When a token is used for the first time: with its grant (lazy), or at once',
          }),
        ),
        events: Type.Optional(Type.Boolean({ description: 'Send grant.created and grant.updated' })),
      },
      response: single(ImportReport),
      handle: async ({ services, server, query, streamed, context }, caller) => {
        const { dry_run: dryRun = false, verify = 'lazy', events = false } = query
        if (!streamed) throw appError('api.invalid_request_payload', 'The request body is empty.')
        if (dryRun && verify === 'now') {
          throw appError('api.invalid_request_error', 'dry_run asks no provider: leave verify=now out')
        }
        const counts = noCounts()
        const errors: Omit<Extract<RowResult, { outcome: 'failed' }>, 'outcome'>[] = []
        const timeUp = new AbortController()
        const timer = setTimeout(() => timeUp.abort(), server.importReadMs ?? READ_FOR_MS)
        try {
          await runImport(
            readRows(
              streamed.type === 'text/csv' ? 'csv' : 'ndjson',
              streamed.chunks,
              verify === 'now' ? BATCH_ROWS_VERIFIED : BATCH_ROWS,
            ),
            (rows) => services.imports.importRows(caller, rows, { dryRun, verify, events }),
            counts,
            (results) => {
              for (const result of results) {
                if (result.outcome !== 'failed' || errors.length >= MOST_ERRORS) continue
                const { outcome: _failed, ...failure } = result
                errors.push(failure)
              }
            },
            AbortSignal.any([timeUp.signal, context.signal]),
          )
        } finally {
          clearTimeout(timer)
        }
        if (timeUp.signal.aborted) {
          throw appError(
            'api.payload_too_large',
            `The file is too long for one request: its first ${counts.rows} rows are done. Send it again to go on, ` +
              'send it in parts, or use the command "grantway import".',
          )
        }
        return { data: { ...counts, dry_run: dryRun, errors } }
      },
    }),
  ]
}
