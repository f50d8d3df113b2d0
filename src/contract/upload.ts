import { Type, type Static } from 'typebox'

/** The most an upload takes: 150 MB (contract/email.md 9.4). */
export const MAX_UPLOAD_BYTES = 157_286_400

/** Body of `POST /attachment-uploads`. */
export const UploadBody = Type.Object({
  filename: Type.String({ minLength: 1, maxLength: 1024 }),
  content_type: Type.String({ minLength: 1, maxLength: 1024 }),
  size: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_UPLOAD_BYTES, description: 'bytes' })),
})
export type UploadBody = Static<typeof UploadBody>

/** Where the bytes go: `PUT url`, without a key. */
export const Upload = Type.Object(
  {
    attachment_id: Type.String(),
    grant_id: Type.String(),
    method: Type.Literal('PUT'),
    url: Type.String({ description: 'Whoever has it may upload until expires_at: keep it to yourself' }),
    headers: Type.Unsafe<{ [name: string]: string }>(
      Type.Object({}, { additionalProperties: { type: 'string' } }),
    ),
    expires_at: Type.String({ description: 'RFC 3339' }),
    max_size: Type.Integer(),
    size: Type.Integer({ description: 'as announced; 0 when it was not' }),
    content_type: Type.String(),
    filename: Type.String(),
  },
  { $id: 'Upload' },
)
export type WireUpload = Static<typeof Upload>

export const CompletedUpload = Type.Object({
  attachment_id: Type.String(),
  grant_id: Type.String(),
  status: Type.Literal('ready'),
})
export type CompletedUpload = Static<typeof CompletedUpload>
