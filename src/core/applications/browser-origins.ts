import { isJsonObject, stringField, type JsonObject } from '../../kit/json.ts'
import { SingleFlight } from '../../kit/single-flight.ts'
import type { BrowserOriginService } from '../ports/services.ts'
import type { AdminDeps } from './audit-write.ts'

/** For how long an origin that was taken away is still allowed. */
const REMEMBER_MS = 10_000
/** An origin that is not known is looked for again this often: whoever adds one tries it at once. */
const LOOK_AGAIN_MS = 1_000
const FLIGHT_MS = 10_000

interface Known {
  /** ids of the applications that allow an origin */
  readonly applications: ReadonlyMap<string, ReadonlySet<string>>
  readonly readAtMs: number
}

/**
 * Knows the origins that applications allow: `settings.origin` of callback URIs of the platform js, and
 * `idp_settings.origins`. All of them are held, since a preflight doesn't say whose application it is about.
 */
export function createBrowserOriginService({
  database,
  clock,
}: Pick<AdminDeps, 'database' | 'clock'>): BrowserOriginService {
  const flight = new SingleFlight<Known>(FLIGHT_MS)
  let known: Known | null = null

  async function read(): Promise<Known> {
    const readAtMs = clock.nowMs()
    const applications = new Map<string, Set<string>>()
    const add = (origin: string | null, applicationId: string) => {
      if (origin === null) return
      applications.set(origin, (applications.get(origin) ?? new Set()).add(applicationId))
    }
    for (const uri of await database.stores.callbackUris.listBrowser()) {
      add(originOf(stringField(uri.settings, 'origin') ?? ''), uri.applicationId)
    }
    for (const application of await database.stores.applications.list()) {
      for (const origin of idpOrigins(application.settings)) add(originOf(origin), application.id)
    }
    return { applications, readAtMs }
  }

  async function younger(thanMs: number): Promise<Known> {
    if (known && clock.nowMs() - known.readAtMs < thanMs) return known
    known = await flight.run('origins', read)
    return known
  }

  return {
    async allows(origin, applicationId) {
      const isAllowed = ({ applications }: Known) => {
        const allowing = applications.get(origin)
        return applicationId === null ? allowing !== undefined : allowing?.has(applicationId) === true
      }
      return isAllowed(await younger(REMEMBER_MS)) || isAllowed(await younger(LOOK_AGAIN_MS))
    },
  }
}

/** `idp_settings.origins`: one text, several are separated by commas or spaces. */
function idpOrigins(settings: JsonObject): readonly string[] {
  const idp = settings['idp_settings']
  return isJsonObject(idp) ? (stringField(idp, 'origins') ?? '').split(/[\s,]+/) : []
}

/** Brings an origin to the form browsers send; null for anything that is not of the web. */
function originOf(text: string): string | null {
  const url = URL.parse(text)
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : null
}
