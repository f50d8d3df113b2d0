import type { ProviderErrorKind } from '../../../src/kit/provider-error.ts'

/** An error answer of a token endpoint as it is documented or was reported, and what it has to mean. */
export interface TokenAnswer {
  readonly status: number
  /** an object is sent as JSON, a text as it is */
  readonly body: object | string
  readonly headers?: { readonly [name: string]: string }
  /** the grant's scopes; absent: none is known */
  readonly scope?: readonly string[]
  readonly kind: ProviderErrorKind
  /** our stable name of the cause; absent where no table knows it */
  readonly reason?: string
  readonly retryAfterSeconds?: number
  /** Where the shape comes from; checked 2026-11. */
  readonly source: string
}
