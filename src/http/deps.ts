import type { Services } from '../core/ports/services.ts'
import type { Logger } from '../kit/logger.ts'
import type { Secret } from '../kit/secret.ts'

/** What the HTTP server is made of. Values, not configuration: http reads no environment. */
export interface HttpDeps {
  readonly services: Services
  readonly logger: Logger
  /** The address clients use, shown on the start page; left out where it is the bound address. */
  readonly publicUrl?: string
  /** CIDR list of proxies whose `X-Forwarded-For` and `-Proto` count. */
  readonly trustedProxies: readonly string[]
  readonly bodyLimitBytes: number
  /** Whether the database answers and its migrations are done; false or a rejection makes `/readyz` 503. */
  readiness(): Promise<boolean>
  readonly metrics?: HttpMetrics
  readonly version: string
  /** Longest time a request may take, in milliseconds; 80 s (SDKs give up after 90 s) when left out. */
  readonly requestTimeoutMs?: number
  /** How long the body of an import is read, in milliseconds; 60 s when left out. */
  readonly importReadMs?: number
}

export interface HttpMetrics {
  /** Bearer token of `/metrics` on the API listener; left out: the route answers 404. */
  readonly token?: Secret
  readonly contentType: string
  render(): Promise<string>
  /** Called once per answered request; `route` is the pattern, never the path. */
  observe?(request: {
    readonly method: string
    readonly route: string
    readonly status: number
    readonly durationMs: number
  }): void
}
