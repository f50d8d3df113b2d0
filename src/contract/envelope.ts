import { Type, type TSchema } from 'typebox'
import type { JsonObject } from '../kit/json.ts'

/** Unix seconds. */
export const UnixSeconds = Type.Integer({ description: 'Unix seconds' })

/** A free-form object: declared open, or the serializer would drop its fields. */
export const OpenObject = Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true }))

/** Body of a single object: `{request_id, data}`. */
export const single = <S extends TSchema>(data: S) => Type.Object({ request_id: Type.String(), data })

/** Body of a list of provider objects: `{request_id, data, next_cursor?}`. */
export const cursorList = <S extends TSchema>(item: S) =>
  Type.Object({
    request_id: Type.String(),
    data: Type.Array(item),
    next_cursor: Type.Optional(Type.String()),
  })

/** Body of an admin list: `{request_id, data, limit, offset}`, no cursor. */
export const offsetList = <S extends TSchema>(item: S) =>
  Type.Object({
    request_id: Type.String(),
    data: Type.Array(item),
    limit: Type.Integer(),
    offset: Type.Integer(),
  })

/** Body of a delete: `{request_id}`. Never 204 (contract/auth.md rule 2). */
export const Deleted = Type.Object({ request_id: Type.String() })

/** Error envelope A (contract/auth.md 1.1): everything but the OAuth token routes. */
export const ErrorEnvelope = Type.Object(
  {
    request_id: Type.String(),
    error: Type.Object(
      {
        type: Type.String(),
        message: Type.String(),
        provider_error: Type.Optional(OpenObject),
        reason: Type.Optional(OpenObject),
      },
      { additionalProperties: true },
    ),
  },
  { $id: 'Error' },
)
