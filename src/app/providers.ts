import type { Config } from '../config/schema.ts'
import type { ProviderName } from '../contract/providers.ts'
import type { ProviderModule } from '../core/ports/provider.ts'
import type { DetectService } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import type { Clock } from '../kit/clock.ts'
import type { Logger } from '../kit/logger.ts'
import { createHttpClient } from '../kit/outbound/http-client.ts'

/** Everything that speaks to the outside, by provider. */
export interface Outbound {
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly detect: DetectService
  close(): Promise<void>
}

/** Makes every provider this server speaks. The only place that names them. */
export function createProviders(
  _config: Config,
  _deps: { readonly clock: Clock; readonly log: Logger; readonly database: Database },
): Outbound {
  const http = createHttpClient()
  return {
    providers: new Map(),
    detect: { detect: (_caller, email) => Promise.resolve({ email_address: email, detected: false }) },
    close: () => http.close(),
  }
}
