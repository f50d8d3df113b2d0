import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Config } from '../../config/schema.ts'
import type { ImportFormat, ImportOptions, RowResult } from '../../core/ports/import.ts'
import { readRows } from '../../core/import/read-rows.ts'
import { type ImportCounts, runImport } from '../../core/import/run-import.ts'
import { AppError } from '../../kit/app-error.ts'
import type { Logger } from '../../kit/logger.ts'
import type { ComposeOptions } from '../compose.ts'
import { StartError } from '../start-error.ts'
import { openImportTarget } from './open-target.ts'

/** What `grantway import` asks for. */
export interface ImportRequest extends ImportOptions {
  /** a path, or `-` for stdin */
  readonly file: string
  readonly format?: ImportFormat
  readonly applicationId?: string
  /** where failed rows are written, one JSON object a line */
  readonly errorsFile?: string
  /** ends the import after the batches under way */
  readonly signal: AbortSignal
  /** Summed up as the import goes on; holds how far it got when it fails. */
  readonly counts: ImportCounts
  readonly onProgress: (progress: ImportProgress) => void
  readonly onFailure: (failure: FailedRow) => void
  /** Told once of each field that means nothing here. */
  readonly onIgnored: (field: string) => void
}

export interface ImportProgress {
  readonly bytes: number
  /** null where the input has no end that is known */
  readonly totalBytes: number | null
}

/** For tests that end the process at any of its steps. */
interface ImportOverrides {
  readonly batchRows?: number
  readonly compose?: Partial<ComposeOptions>
}

export type FailedRow = Extract<RowResult, { outcome: 'failed' }>

const CHUNK_BYTES = 256 * 1024
/** Enough to tell of; a file with endless other columns must not fill the memory. */
const MOST_IGNORED = 100

/**
 * Imports a file of grants. Memory stays the same however long the file is.
 * @throws StartError when the file, the errors file or the application can't be had
 */
export async function importGrants(
  config: Config,
  log: Logger,
  request: ImportRequest,
  overrides: ImportOverrides = {},
): Promise<void> {
  const input = await openInput(request.file)
  const errors = request.errorsFile === undefined ? undefined : await openErrors(request.errorsFile)
  try {
    const bytes = countBytes(input.chunks, (count) =>
      request.onProgress({ bytes: count, totalBytes: input.totalBytes }),
    )
    const { format, chunks } = await findFormat(request, bytes)
    const report = createReport(request, errors)
    const target = await openImportTarget(config, log, request, overrides.compose)
    try {
      const options = { verify: request.verify, dryRun: request.dryRun, events: request.events }
      await runImport(
        readRows(format, chunks, overrides.batchRows ?? target.batchRows),
        (rows) => target.importBatch(rows, options),
        request.counts,
        (results) => report(results),
        request.signal,
      )
    } finally {
      await target.close()
    }
  } catch (error) {
    // A header that is none is bad usage; everything else of that kind was caught row by row.
    throw error instanceof AppError && error.status === 400
      ? new StartError(error.message, { cause: error })
      : error
  } finally {
    await errors?.close()
    input.close()
  }
}

async function openInput(file: string): Promise<{
  readonly chunks: AsyncIterable<Uint8Array>
  readonly totalBytes: number | null
  close(): void
}> {
  if (file === '-') {
    return { chunks: process.stdin, totalBytes: null, close: () => void process.stdin.destroy() }
  }
  try {
    const found = await stat(file)
    if (found.isDirectory()) throw new Error('it is a folder')
    const handle = await open(file, 'r')
    const stream = createReadStream(file, { fd: handle, highWaterMark: CHUNK_BYTES })
    return {
      chunks: stream,
      totalBytes: found.isFile() ? found.size : null,
      close: () => void stream.destroy(),
    }
  } catch (cause) {
    throw new StartError(`${file} can't be read: ${reasonOf(cause)}`, { cause })
  }
}

/** Only its owner may read it: it holds addresses. */
async function openErrors(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w', 0o600)
  } catch (cause) {
    throw new StartError(`${path} can't be written: ${reasonOf(cause)}`, { cause })
  }
}

/** By the option, by the file's ending, else by its first character: NDJSON begins with a brace. */
async function findFormat(
  request: Pick<ImportRequest, 'file' | 'format'>,
  chunks: AsyncGenerator<Uint8Array>,
): Promise<{ readonly format: ImportFormat; readonly chunks: AsyncIterable<Uint8Array> }> {
  if (request.format) return { format: request.format, chunks }
  if (/\.csv$/i.test(request.file)) return { format: 'csv', chunks }
  if (/\.(?:ndjson|jsonl|json)$/i.test(request.file)) return { format: 'ndjson', chunks }
  const seen: Uint8Array[] = []
  let start = ''
  while (start === '') {
    const { value, done } = await chunks.next()
    if (done) break
    seen.push(value)
    start = Buffer.concat(seen.map((chunk) => chunk.subarray(0, 1024)))
      .toString('latin1')
      .replace(/^\u00EF\u00BB\u00BF/, '')
      .trimStart()
  }
  return { format: start.startsWith('{') || start === '' ? 'ndjson' : 'csv', chunks: joined(seen, chunks) }
}

async function* joined(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* first
  yield* rest
}

async function* countBytes(
  chunks: AsyncIterable<Uint8Array>,
  onCount: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    yield chunk
    bytes += chunk.byteLength
    onCount(bytes)
  }
}

/** Makes what tells of a batch's results: failed rows go to the errors file before the next batch is settled. */
function createReport(request: ImportRequest, errors: FileHandle | undefined) {
  const known = new Set<string>()
  return async (results: readonly RowResult[]): Promise<void> => {
    const lines: string[] = []
    for (const result of results) {
      if (result.outcome === 'failed') {
        request.onFailure(result)
        const { line, email, error } = result
        lines.push(`${JSON.stringify({ line, ...(email === undefined ? {} : { email }), error })}\n`)
        continue
      }
      for (const field of result.ignored ?? []) {
        if (known.has(field) || known.size >= MOST_IGNORED) continue
        known.add(field)
        request.onIgnored(field)
      }
    }
    if (errors && lines.length > 0) await errors.appendFile(lines.join(''))
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
