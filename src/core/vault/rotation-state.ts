import { Type, type Static } from 'typebox'

/** Where a rotation stands. Plain JSON: it travels between the command and the server that does the steps. */
export const RotationState = Type.Object({
  /** the new data key */
  key: Type.String(),
  /** the keys that go */
  closing: Type.Array(Type.String()),
  isResumed: Type.Boolean(),
  /** `reseal`: the first walk over all rows; `close`: no more writes under the old keys; `sweep`: what came late */
  phase: Type.Union([Type.Literal('reseal'), Type.Literal('close'), Type.Literal('sweep')]),
  /** index in SEALED_TABLES */
  table: Type.Integer(),
  /** id of the last row seen in it */
  after: Type.String(),
  /** of all tables, when the rotation began; and seen in this walk */
  rows: Type.Integer(),
  seen: Type.Integer(),
  resealed: Type.Integer(),
  /** rows of this walk that somebody was changing */
  left: Type.Integer(),
  /** `table.column of id`, the first of them */
  unreadable: Type.Array(Type.String()),
  /** refusals in a row */
  troubles: Type.Integer(),
})
export type RotationState = Readonly<Static<typeof RotationState>>

/** What a step came to. */
export const RotationStep = Type.Union([
  Type.Object({
    kind: Type.Literal('more'),
    state: RotationState,
    /** until the next step is worth doing */
    waitMs: Type.Number(),
  }),
  Type.Object({
    kind: Type.Literal('done'),
    key: Type.String(),
    resealed: Type.Integer(),
    /** empty when values could not be opened: their key is kept */
    deleted: Type.Array(Type.String()),
    unreadable: Type.Array(Type.String()),
    isResumed: Type.Boolean(),
  }),
])
export type RotationStep = Readonly<Static<typeof RotationStep>>
