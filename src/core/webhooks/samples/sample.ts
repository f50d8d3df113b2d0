import type { JsonObject } from '../../../kit/json.ts'

/** What a trigger's notification holds, apart from the parts of the envelope that are new each time. */
export interface Sample {
  readonly source: string
  /** `data` of the envelope without `application_id` */
  readonly data: JsonObject
}

/** The grant that every sample is about. */
export const GRANT_ID = '6b1d2f0e-8c7a-4f3b-9a55-2d4c8e0b7f16'
export const SYSTEM = '/nylas/system'
export const MAIL = '/google/emails/realtime'
export const CALENDAR = '/google/events/realtime'

/** 2026-01-15 09:00:00 UTC */
export const NINE = 1_768_467_600
export const HOUR = 3_600

export const ADA = { name: 'Ada Byron', email: 'ada@example.com' }
export const GRACE = { name: 'Grace Hopper', email: 'grace@example.com' }
