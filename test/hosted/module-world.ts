import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProviders } from '../../src/app/providers.ts'
import { createServices } from '../../src/app/services.ts'
import { loadConfig } from '../../src/config/load.ts'
import { silentTelemetry } from '../../src/core/ports/telemetry.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import type { Caller, Services } from '../../src/core/ports/services.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import { loadDataKeys } from '../../src/core/vault/data-keys.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { openSqliteDatabase } from '../../src/storage/engines/sqlite.ts'
import { type MovableClock, movableClock } from '../support/grantway-app.ts'
import { REDIRECT } from './hosted-world.ts'

/** Core's use-cases over a real database, with some provider modules made by the test. */
export interface ModuleWorld {
  readonly services: Services
  readonly database: Database
  readonly clock: MovableClock
  readonly caller: Caller
  /** parameters that every request has */
  readonly query: { readonly [name: string]: string }
  stop(): Promise<void>
}

export async function startModuleWorld(
  environment: { readonly [name: string]: string },
  replace: (modules: ReadonlyMap<string, ProviderModule>) => readonly ProviderModule[],
): Promise<ModuleWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-hosted-'))
  const clock = movableClock()
  const log = silentLogger
  const database = await openSqliteDatabase({
    path: join(folder, 'test.db'),
    clock,
    ids: randomIds,
    logger: log,
  })
  await database.migrate()
  const operatorKeys = [{ id: 'k1', key: randomBytes(32) }]
  const vault = createVault(await loadDataKeys({ database, operatorKeys, clock, ids: randomIds }))
  const outbound = createProviders(loadConfig({ GRANTWAY_DATA_DIR: folder, ...environment }), {
    clock,
    log,
    database,
    telemetry: silentTelemetry,
  })
  const providers = new Map(outbound.providers)
  for (const module of replace(providers)) providers.set(module.id, module)
  const { services } = createServices({
    ...outbound,
    providers,
    database,
    vault,
    clock,
    ids: randomIds,
    log,
    telemetry: silentTelemetry,
    egressIps: [],
    publicUrl: () => 'https://grantway.example',
  })
  const { id } = await services.applications.create({ name: 'Mine' })
  const caller = { applicationId: id, actor: 'test' }
  await services.callbackUris.create(caller, { url: REDIRECT })
  return {
    services,
    database,
    clock,
    caller,
    query: { client_id: id, redirect_uri: REDIRECT, response_type: 'code' },
    async stop() {
      await outbound.close()
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
