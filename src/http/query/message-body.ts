import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { TSchema } from 'typebox'
import { appError } from '../../contract/errors.ts'
import type { OutgoingAttachment } from '../../core/ports/outgoing.ts'
import { isJsonObject, parseJson } from '../../kit/json.ts'
import { FormBody, type FormPart } from '../plugins/multipart-bodies.ts'
import { readBody } from './validators.ts'

/** The part that holds the JSON: SDKs say `message`, the published description of drafts says `draft`. */
const JSON_PARTS = ['message', 'draft']
/** Names that number files; any other name is a content id (contract/email.md 4.3). */
const FILE_NAME = /^(file|attachments?)\d*(\[\d*\])?$/i
/** Deeper nesting than this is nobody's request. */
const MAX_DEPTH = 64
/** What clients put there is theirs: a null in it means something. */
const OPEN_FIELDS = ['metadata', 'variables']

/** A body of JSON, or a form with JSON and files. */
export interface MessageBody {
  /** Reads the JSON by its schema. @throws AppError 400 that names the field */
  readonly read: (schema: TSchema) => unknown
  readonly files: readonly OutgoingAttachment[]
  /** the complete source of `?type=mime` */
  readonly mime: Uint8Array | undefined
  /** Digest of what is asked for: the same whatever the boundary of the form and the order of its parts. */
  readonly digest: () => string
}

/** Takes the body of sending and drafts apart. @throws AppError 400 for a form without what it needs */
export function readMessageBody(body: unknown): MessageBody {
  if (!(body instanceof FormBody)) {
    return {
      read: (schema) => readBody(schema, tidied(body ?? {}, 0)),
      files: [],
      mime: undefined,
      digest: () => digestOf([JSON.stringify(body ?? {})]),
    }
  }
  const { parts } = body
  const json = parts.find(({ name }) => JSON_PARTS.includes(name))
  const mime = parts.find(({ name }) => name === 'mime')
  const files = parts.filter((part) => part !== json && part !== mime)
  return {
    read: (schema) => readBody(schema, tidied(jsonOf(json), 0)),
    files: files.map(toAttachment),
    mime: mime?.bytes,
    digest: () => digestOf(parts.map(digestOfPart).toSorted()),
  }
}

function jsonOf(part: FormPart | undefined): unknown {
  if (!part)
    throw appError('api.invalid_request_error', 'message is required: a part with the JSON of the message')
  const value = parseJson(part.bytes.toString('utf8'))
  if (value !== undefined) return value
  throw appError('api.invalid_request_payload', `The part ${part.name} is not valid JSON.`)
}

function toAttachment({ name, filename, contentType, bytes }: FormPart, index: number): OutgoingAttachment {
  const contentId = name === '' || FILE_NAME.test(name) ? undefined : name.replace(/^<(.*)>$/, '$1')
  return {
    filename: filename === '' ? (contentId ?? `attachment${index + 1}`) : filename,
    contentType,
    ...(contentId === undefined ? {} : { contentId }),
    isInline: false,
    sizeBytes: bytes.length,
    open: () => Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false }),
  }
}

/**
 * Leaves out fields that are null, as Python and others send what they don't set, and mends text that is no Unicode (a
 * lone surrogate), which no header, database or provider could hold.
 */
function tidied(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw appError('api.invalid_request_payload', 'The JSON is nested too deeply.')
  if (typeof value === 'string') return wellFormed(value)
  if (Array.isArray(value)) return value.map((item: unknown) => tidied(item, depth + 1))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [
        wellFormed(name),
        OPEN_FIELDS.includes(name) ? field : tidied(field, depth + 1),
      ]),
  )
}

function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text
}

function digestOfPart({ name, filename, contentType, bytes }: FormPart): string {
  return digestOf([name, filename, contentType, createHash('sha256').update(bytes).digest('hex')])
}

function digestOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text.length}:`).update(text)
  return hash.digest('hex')
}
