/** What else an `AppError` may carry besides its wire type, status and public text. */
export interface AppErrorExtras {
  /** For the log only; never sent. */
  readonly detail?: string
  /** The provider's own words, already redacted; always an object on the wire. */
  readonly providerError?: Record<string, unknown>
  /** Sent as `Retry-After`, in whole seconds. */
  readonly retryAfterSeconds?: number
  /** Further documented fields of the error object (for example `reason` of a dead grant). */
  readonly fields?: Record<string, unknown>
  readonly cause?: unknown
}

/**
 * The one way core and http fail: carries the wire `type`, the HTTP status and the text for the client.
 * Made through `appError()` of contract/errors.ts, which knows the catalogue.
 */
export class AppError extends Error {
  readonly type: string
  readonly status: number
  readonly extras: AppErrorExtras

  constructor(type: string, status: number, message: string, extras: AppErrorExtras = {}) {
    super(message, extras.cause === undefined ? {} : { cause: extras.cause })
    this.name = 'AppError'
    this.type = type
    this.status = status
    this.extras = extras
  }
}
