import { Type, type Static } from 'typebox'

export const DetectedProvider = Type.Object(
  {
    email_address: Type.String(),
    detected: Type.Boolean(),
    provider: Type.Optional(Type.String()),
    type: Type.Optional(Type.String()),
  },
  { $id: 'DetectedProvider' },
)
export type DetectedProvider = Static<typeof DetectedProvider>
