import type * as CsvParse from 'csv-parse'

/** A record of a CSV text and the line it begins in, counted from 1. */
export interface CsvRecord {
  readonly number: number
  readonly fields: readonly string[]
}

/** The text is no CSV from this line on: what follows can't be told apart any more. */
export class CsvFault extends Error {
  readonly number: number

  constructor(number: number, message: string, cause: unknown) {
    super(message, { cause })
    this.number = number
  }
}

/**
 * Opens a reader of CSV. The parser is loaded with its first use.
 * @param maxRecordBytes  a longer record is a fault
 */
export async function openCsvReader(maxRecordBytes: number): Promise<CsvReader> {
  return new CsvReader(await import('csv-parse'), maxRecordBytes)
}

/**
 * Reads CSV (RFC 4180) as its bytes come: quoted fields may hold line ends, a byte order mark and empty lines are
 * left out. Bytes that are no UTF-8 come as U+FFFD.
 */
class CsvReader {
  readonly #parser: CsvParse.Parser
  #records: CsvRecord[] = []
  #extraLineEnds = 0
  #fault: CsvFault | undefined

  constructor({ CsvError, parse }: typeof CsvParse, maxRecordBytes: number) {
    this.#parser = parse({
      bom: true,
      // Told, since the parser would settle on the first one it meets and files do mix them.
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: maxRecordBytes,
      on_record: (fields: string[], context) => {
        this.#keep(fields, context.lines)
        return null // kept here: the parser's own stream stays empty
      },
    })
    this.#parser.resume()
    this.#parser.on('error', (error: unknown) => {
      const fault = error instanceof CsvError ? error : undefined
      const at = typeof fault?.['lines'] === 'number' ? fault['lines'] : 1
      this.#fault ??= new CsvFault(at - this.#extraLineEnds, faultOf(fault?.code), error)
    })
  }

  /** @returns the records that ended with this chunk; a fault is thrown by the next call, after them */
  async push(chunk: Uint8Array): Promise<readonly CsvRecord[]> {
    if (this.#fault) throw this.#fault
    await new Promise<void>((resolve) => {
      this.#parser.write(chunk, () => resolve())
    })
    return this.#take()
  }

  /** @throws CsvFault */
  async end(): Promise<readonly CsvRecord[]> {
    if (this.#fault) throw this.#fault
    await new Promise<void>((resolve) => {
      this.#parser.once('close', resolve)
      this.#parser.end()
    })
    return this.#take()
  }

  /** The fault that was met, where one was: nothing comes after it. */
  get fault(): CsvFault | undefined {
    return this.#fault
  }

  #take(): readonly CsvRecord[] {
    const records = this.#records
    this.#records = []
    return records
  }

  #keep(fields: readonly string[], lastLine: number): void {
    let lineEnds = 0
    let pairs = 0
    for (const field of fields) {
      if (!field.includes('\n') && !field.includes('\r')) continue
      lineEnds += field.match(/[\r\n]/g)?.length ?? 0
      pairs += field.match(/\r\n/g)?.length ?? 0
    }
    // The parser counts both characters of a CRLF inside quotes (csv-parse 7.0, tried 2026-11).
    this.#records.push({ number: lastLine - this.#extraLineEnds - lineEnds, fields })
    this.#extraLineEnds += pairs
  }
}

function faultOf(code: CsvParse.CsvErrorCode | undefined): string {
  // The parser's own words quote what it read.
  switch (code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quoted field is never closed'
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'INVALID_OPENING_QUOTE':
      return 'a quote stands where none may be: double it, and put the field in quotes'
    case 'CSV_MAX_RECORD_SIZE':
      return 'the record is too long, or a quoted field is never closed'
    default:
      return 'it can not be read'
  }
}
