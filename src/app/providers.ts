import type { Config } from '../config/schema.ts'
import type { ProviderName } from '../contract/providers.ts'
import { createDetectService } from '../core/detect/detect-service.ts'
import type { ProviderModule } from '../core/ports/provider.ts'
import type { DetectService } from '../core/ports/services.ts'
import type { Database } from '../core/ports/stores.ts'
import type { Telemetry } from '../core/ports/telemetry.ts'
import type { Clock } from '../kit/clock.ts'
import type { Logger } from '../kit/logger.ts'
import { createEgressGuard } from '../kit/outbound/egress-guard.ts'
import { createHttpClient, type HttpClient } from '../kit/outbound/http-client.ts'
import type { NoteSignIn } from '../kit/outbound/sign-in.ts'
import { createAutoconfig } from '../protocols/autoconfig/create-autoconfig.ts'
import { createMailDns } from '../protocols/autoconfig/dns.ts'
import { createGoogle } from '../providers/google/create-google.ts'
import { createIcloud } from '../providers/icloud/provider.ts'
import { createImap } from '../providers/imap/provider.ts'
import { createMicrosoft } from '../providers/microsoft/create-microsoft.ts'
import { createVirtualCalendar } from '../providers/virtual-calendar/create-virtual-calendar.ts'
import { createYahoo } from '../providers/yahoo/provider.ts'
import { createZoom } from '../providers/zoom/create-zoom.ts'
import { observedHttp } from './metrics/observed-http.ts'

/** Everything that speaks to the outside. */
export interface Outbound {
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly detect: DetectService
  /** Speaks to hosts that users name (webhook destinations), through the egress guard. */
  readonly userHosts: HttpClient
  close(): Promise<void>
}

/** Makes every provider this server speaks. The only place that names them. */
export function createProviders(
  config: Config,
  deps: {
    readonly clock: Clock
    readonly log: Logger
    readonly database: Database
    readonly telemetry: Telemetry
  },
): Outbound {
  const { clock, log, database, telemetry } = deps
  const http = createHttpClient()
  const guard = createEgressGuard({ allowedNetworks: config.allowedNetworks })
  const guarded = createHttpClient({ guard })
  const lookups = createAutoconfig({
    guarded,
    trusted: http,
    dns: createMailDns(),
    ...(config.autoconfigUrl === undefined ? {} : { databaseUrl: config.autoconfigUrl }),
  })
  const allowPlaintext = config.allowPlaintextMail
  const autoconfig = (email: string, signal: AbortSignal) => lookups.servers(email, signal)
  const httpOf = (provider: ProviderName) => observedHttp(http, provider, telemetry)
  const signInsOf = (provider: ProviderName): { readonly onSignIn: NoteSignIn } => ({
    onSignIn: (signIn) => telemetry.signedIn({ provider, ...signIn }),
  })
  const indexStore = database.stores.imapIndex
  const imap = createImap({ guard, allowPlaintext, autoconfig, indexStore, ...signInsOf('imap') })
  const icloud = createIcloud({
    endpoints: config.icloud,
    allowPlaintext,
    indexStore,
    ...signInsOf('icloud'),
  })
  const yahoo = createYahoo({
    http: httpOf('yahoo'),
    clock,
    endpoints: config.yahoo,
    allowPlaintext,
    indexStore,
    ...signInsOf('yahoo'),
  })
  const modules: readonly ProviderModule[] = [
    createGoogle({
      http: httpOf('google'),
      clock,
      endpoints: config.google,
      gmailUnitsPerMinute: config.gmailUnitsPerMinute,
    }),
    createMicrosoft({ http: httpOf('microsoft'), uploads: guarded, clock, endpoints: config.microsoft }),
    createZoom({ http: httpOf('zoom'), clock, endpoints: config.zoom }),
    createVirtualCalendar(),
    imap,
    icloud,
    yahoo,
  ]
  return {
    providers: new Map(modules.map((module) => [module.id, module])),
    detect: createDetectService({ lookups, connectors: database.stores.connectors, log }),
    userHosts: guarded,
    async close() {
      await Promise.all([imap.close(), icloud.close(), yahoo.close()])
      await Promise.all([http.close(), guarded.close()])
    },
  }
}
