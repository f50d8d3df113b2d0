/**
 * Where Google is reached; one field per `GRANTWAY_GOOGLE_*_URL` variable. Set by the operator, so trusted.
 * The API addresses are bases: `/gmail/v1/…`, `/batch/gmail/v1`, `/calendar/v3/…`, `/v1/…` are added.
 */
export interface GoogleEndpoints {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly revokeUrl: string
  readonly userinfoUrl: string
  readonly gmailUrl: string
  readonly calendarUrl: string
  readonly peopleUrl: string
  readonly adminUrl: string
  readonly pubsubUrl: string
}

/** Joins a base address, which may have a path of its own, and an absolute path. */
export function at(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}${path}`
}
