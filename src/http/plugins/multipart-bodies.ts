import type { Readable } from 'node:stream'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { appError } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'

/** The most a form may hold, its JSON included (contract/email.md 4.6). */
const MAX_FORM_BYTES = 25 * 1024 * 1024
const MAX_PARTS = 1000
const MAX_HEADER_BYTES = 16 * 1024

/** A part of a form; whether the client sent it as a field or a file says nothing (contract/email.md 4.3). */
export interface FormPart {
  readonly name: string
  /** `""` where there is none */
  readonly filename: string
  /** media type, without parameters */
  readonly contentType: string
  readonly bytes: Buffer
}

/** A `multipart/form-data` body, read: its parts in the order they came. */
export class FormBody {
  readonly parts: readonly FormPart[]

  constructor(parts: readonly FormPart[]) {
    this.parts = parts
  }
}

/** Reads `multipart/form-data` besides JSON in a scope of its own; the body becomes a `FormBody`. */
export function registerMultipartBodies(scope: FastifyInstance): void {
  scope.addContentTypeParser('multipart/form-data', (request: FastifyRequest, payload: Readable) =>
    readForm(request.headers['content-type'] ?? '', payload),
  )
}

/**
 * Reads a form as it comes in, and stops keeping it at the limit. What is left of a refused one is read and dropped, so
 * that its client gets to read the answer.
 * @throws AppError 400 for what is no form, 413
 */
function readForm(contentType: string, payload: Readable): Promise<FormBody> {
  return new Promise((resolve, reject) => {
    const parts: FormPart[] = []
    const size = { bytes: 0 }
    let isOver = false
    const end = (error: AppError | null) => {
      if (isOver) return
      isOver = true
      if (!error) return resolve(new FormBody(parts))
      payload.unpipe()
      payload.resume()
      reject(error)
    }
    const parser = parserOf(contentType)
    if (!parser) return end(broken('it names no boundary'))
    parser.on('file', (name, stream, filename, _encoding, contentType) => {
      const part = { name: given(name), filename: given(filename), contentType }
      collect(stream, size, (bytes) => {
        if (bytes === null) end(appError('api.payload_too_large', 'A form holds at most 25 MB.'))
        else parts.push({ ...part, bytes })
      })
    })
    parser.on('partsLimit', () =>
      end(appError('api.payload_too_large', `A form has at most ${MAX_PARTS} parts.`)),
    )
    parser.on('finish', () => end(null))
    parser.on('error', () => end(broken('it ends early or its parts cannot be told apart')))
    payload.on('error', () => end(broken('it ends early')))
    // A client that hangs up ends nothing.
    payload.on('close', () => end(broken('it ends early')))
    payload.on('end', () => payload.removeAllListeners('close'))
    payload.pipe(parser)
  })
}

/** The parser's types leave out that both may be missing. */
function given(text: string | undefined): string {
  return text ?? ''
}

function parserOf(contentType: string): BusboyInstance | undefined {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: MAX_PARTS, headerSize: MAX_HEADER_BYTES },
      // Python sends the JSON as a file, others as a field, which would have another limit.
      isPartAFile: () => true,
    })
  } catch {
    return undefined // the only thing it refuses is a type without a boundary
  }
}

/** @param done  the bytes, or null when the form has grown too large */
function collect(
  stream: BusboyFileStream,
  size: { bytes: number },
  done: (bytes: Buffer | null) => void,
): void {
  let chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    size.bytes += chunk.length
    if (size.bytes <= MAX_FORM_BYTES) {
      chunks.push(chunk)
      return
    }
    chunks = []
    done(null)
  })
  stream.on('end', () => {
    if (size.bytes <= MAX_FORM_BYTES) done(Buffer.concat(chunks))
  })
  // The parser tells of it, too.
  stream.on('error', () => undefined)
}

function broken(why: string): AppError {
  return appError('api.invalid_request_payload', `The form cannot be read: ${why}.`)
}
