import type { Config } from '../config/schema.ts'
import type { ProviderName } from '../contract/providers.ts'
import type { ProviderModule } from '../core/ports/provider.ts'
import type { DetectService } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import type { Clock } from '../kit/clock.ts'
import type { Logger } from '../kit/logger.ts'
import { createEgressGuard } from '../kit/outbound/egress-guard.ts'
import { createHttpClient } from '../kit/outbound/http-client.ts'
import { createIcloud } from '../providers/icloud/provider.ts'
import { createImap } from '../providers/imap/provider.ts'
import { createYahoo } from '../providers/yahoo/provider.ts'

/** Everything that speaks to the outside, by provider. */
export interface Outbound {
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly detect: DetectService
  close(): Promise<void>
}

/** Makes every provider this server speaks. The only place that names them. */
export function createProviders(
  config: Config,
  deps: { readonly clock: Clock; readonly log: Logger; readonly database: Database },
): Outbound {
  const { clock } = deps
  const http = createHttpClient()
  const guard = createEgressGuard({ allowedNetworks: config.allowedNetworks })
  const allowPlaintext = config.allowPlaintextMail
  const imap = createImap({ guard, allowPlaintext, autoconfig: () => Promise.resolve(null) })
  const icloud = createIcloud({ endpoints: config.icloud, allowPlaintext })
  const yahoo = createYahoo({ http, clock, endpoints: config.yahoo, allowPlaintext })
  const modules: readonly ProviderModule[] = [imap, icloud, yahoo]
  return {
    providers: new Map(modules.map((module) => [module.id, module])),
    detect: { detect: (_caller, email) => Promise.resolve({ email_address: email, detected: false }) },
    async close() {
      await Promise.all([imap.close(), icloud.close(), yahoo.close()])
      await http.close()
    },
  }
}
