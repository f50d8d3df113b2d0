import { appError } from '../../contract/errors.ts'
import { type CsvRecord, openCsvReader } from '../../formats/csv-records.ts'
import { LineSplitter, type TextLine } from '../../formats/text-lines.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../kit/json.ts'
import type { ImportFormat, RawRow } from '../ports/import.ts'
import { isFieldName } from './field-names.ts'

const MAX_ROW_BYTES = 1024 * 1024
/** A batch ends at this many bytes even when it has fewer rows: memory stays bounded whatever the rows hold. */
const MAX_BATCH_BYTES = 2 * 1024 * 1024

/** A row and about how many bytes it came in. */
interface SizedRow {
  readonly row: RawRow
  readonly sizeBytes: number
}

/**
 * Reads the rows of a file in batches, as its bytes come. A row that can't be read comes with its problem; memory
 * stays the same however long the file is.
 *
 * @throws AppError `api.invalid_request_error` when the header of a CSV is not one
 */
export async function* readRows(
  format: ImportFormat,
  chunks: AsyncIterable<Uint8Array>,
  batchRows: number,
): AsyncGenerator<readonly RawRow[]> {
  let batch: RawRow[] = []
  let batchBytes = 0
  for await (const rows of format === 'csv' ? readCsv(chunks) : readNdjson(chunks)) {
    for (const { row, sizeBytes } of rows) {
      batch.push(row)
      batchBytes += sizeBytes
      if (batch.length < batchRows && batchBytes < MAX_BATCH_BYTES) continue
      yield batch
      batch = []
      batchBytes = 0
    }
  }
  if (batch.length > 0) yield batch
}

async function* readNdjson(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly SizedRow[]> {
  const splitter = new LineSplitter(MAX_ROW_BYTES)
  for await (const chunk of chunks) yield splitter.push(chunk).flatMap(toJsonRow)
  yield splitter.end().flatMap(toJsonRow)
}

function toJsonRow(line: TextLine): readonly SizedRow[] {
  const { number } = line
  if ('problem' in line) return [{ row: { line: number, problem: line.problem }, sizeBytes: 0 }]
  const { text } = line
  const value = parseJson(text)
  if (isJsonObject(value)) return [{ row: { line: number, value }, sizeBytes: text.length }]
  if (text.trim() === '') return []
  return [{ row: { line: number, problem: 'the line is not a JSON object' }, sizeBytes: 0 }]
}

async function* readCsv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly SizedRow[]> {
  const reader = await openCsvReader(MAX_ROW_BYTES)
  let header: Header | undefined
  const toRows = (records: readonly CsvRecord[]): readonly SizedRow[] => {
    const [first, ...others] = records
    if (header || !first) return records.map((record) => toCsvRow(header, record))
    header = readHeader(first)
    return others.map((record) => toCsvRow(header, record))
  }
  for await (const chunk of chunks) {
    yield toRows(await reader.push(chunk))
    if (reader.fault) break
  }
  if (!reader.fault) yield toRows(await reader.end())
  if (!reader.fault) return
  const { number, message } = reader.fault
  const problem = `this is not valid CSV: ${message}. Nothing from this line on was read.`
  yield [{ row: { line: number, problem }, sizeBytes: 0 }]
}

/** Where each column goes: `settings.imap_host` is a field of the object `settings`. */
type Header = readonly { readonly name: string; readonly inner: string | null }[]

function readHeader({ fields }: CsvRecord): Header {
  const names = fields.map((field) => field.trim())
  const repeated = names.find((name, at) => name !== '' && names.indexOf(name) !== at)
  if (repeated !== undefined) {
    throw appError('api.invalid_request_error', `The header line has the column ${repeated} twice.`)
  }
  for (const wanted of [['provider'], ['email', 'email_address']]) {
    if (wanted.some((name) => names.includes(name))) continue
    const hint = names.some(isFieldName) ? '' : ' The first line must name the columns, separated by commas.'
    throw appError('api.invalid_request_error', `The header line has no column ${wanted[0]}.${hint}`)
  }
  return names.map((name) => {
    const dot = name.indexOf('.')
    return dot < 1 ? { name, inner: null } : { name: name.slice(0, dot), inner: name.slice(dot + 1) }
  })
}

function toCsvRow(header: Header | undefined, { number, fields }: CsvRecord): SizedRow {
  const columns = header ?? []
  const fail = (problem: string): SizedRow => ({ row: { line: number, problem }, sizeBytes: 0 })
  if (fields.length !== columns.length) {
    return fail(`the row has ${fields.length} fields and the header ${columns.length}`)
  }
  const outer = new Map<string, unknown>()
  const nested = new Map<string, [string, string][]>()
  let sizeBytes = 0
  for (const [at, { name, inner }] of columns.entries()) {
    const field = fields[at] ?? ''
    if (field === '' || name === '') continue
    if (field.includes('\uFFFD')) return fail(`${name}: the text is not valid UTF-8`)
    sizeBytes += field.length
    if (inner === null) outer.set(name, field)
    else nested.set(name, [...(nested.get(name) ?? []), [inner, field]])
  }
  for (const [name, inner] of nested) outer.set(name, Object.fromEntries(inner))
  const value: JsonObject = Object.fromEntries(outer)
  return { row: { line: number, value }, sizeBytes }
}
