import { Type, type Static } from 'typebox'

/** A scheduled message (contract/email.md 5.1). `status` and both its fields are always there: Java needs them. */
export const Schedule = Type.Object(
  {
    schedule_id: Type.String(),
    status: Type.Object({
      code: Type.Union([Type.Literal('pending'), Type.Literal('success'), Type.Literal('failed')]),
      description: Type.String(),
    }),
    close_time: Type.Optional(Type.Integer({ description: 'Unix seconds; once it was sent, or has failed' })),
  },
  { $id: 'Schedule' },
)
export type WireSchedule = Static<typeof Schedule>

export const ScheduleStopped = Type.Object({ message: Type.String() })
