import { randomBytes, randomUUID } from 'node:crypto'

/** Where randomness comes from. Tests may replace it. */
export interface Ids {
  /** A random UUID (version 4). */
  uuid(): string
  /** `sizeBytes` of randomness as base64url text. */
  token(sizeBytes: number): string
}

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  token: (sizeBytes) => randomBytes(sizeBytes).toString('base64url'),
}
