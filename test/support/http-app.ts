import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { appError } from '../../src/contract/errors.ts'
import { applicationId, connectorId, grantId, type ApplicationId } from '../../src/contract/ids.ts'
import { createApiKeyService } from '../../src/core/api-keys/api-keys.ts'
import { createApplicationService } from '../../src/core/applications/applications.ts'
import { createAuditLogService } from '../../src/core/audit/audit-log.ts'
import { createBrowserOriginService } from '../../src/core/applications/browser-origins.ts'
import { createCallbackUriService } from '../../src/core/applications/callback-uris.ts'
import { createConnectorService } from '../../src/core/connectors/connectors.ts'
import { createCredentialService } from '../../src/core/credentials/credentials.ts'
import { createRequestLimits } from '../../src/core/limits/request-limits.ts'
import { createTokenAttempts } from '../../src/core/limits/token-attempts.ts'
import { createIdempotency } from '../../src/core/mail/idempotency.ts'
import { createMailAccess } from '../../src/core/mail/mail-access.ts'
import { createScheduleService } from '../../src/core/mail/scheduled/schedules.ts'
import { createContentKeeper } from '../../src/core/mail/uploads/content-keeper.ts'
import { createUploads } from '../../src/core/mail/uploads/uploads.ts'
import { createSignatureService } from '../../src/core/mail/signatures/signature-service.ts'
import { createTemplateService } from '../../src/core/mail/templates/template-service.ts'
import { createTokenService } from '../../src/core/tokens/token-service.ts'
import { createDeliveryService } from '../../src/core/webhooks/deliveries.ts'
import { createWebhookService } from '../../src/core/webhooks/webhooks.ts'
import type { RateStore } from '../../src/core/ports/event-stores.ts'
import { createTrackingService } from '../../src/core/mail/tracking/tracking-service.ts'
import type { OutgoingService } from '../../src/core/ports/mail-services.ts'
import type { HostedService, HostedStep } from '../../src/core/ports/oauth-services.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import type { DetectService, GrantService, MailService, Services } from '../../src/core/ports/services.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import { loadDataKeys } from '../../src/core/vault/data-keys.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import type { Vault } from '../../src/core/ports/vault.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { createHttpServer } from '../../src/http/server.ts'
import type { Clock } from '../../src/kit/clock.ts'
import { type Ids, randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { openSqliteDatabase } from '../../src/storage/engines/sqlite.ts'
import { connectorOnlyProviders } from './provider-modules.ts'

export interface TestClock extends Clock {
  advance(ms: number): void
}

export interface HttpApp {
  readonly url: string
  readonly port: number
  readonly key: string
  readonly applicationId: ApplicationId
  /** key of another application */
  readonly otherKey: string
  readonly otherApplicationId: ApplicationId
  readonly services: Services
  readonly database: Database
  readonly clock: TestClock
  /** Calls the API with the key; a body that is no string is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<CallAnswer>
  close(): Promise<void>
}

export interface CallAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any
}

/** What use-cases of a test may be made of. */
export interface HttpAppDeps {
  readonly database: Database
  readonly vault: Vault
  readonly clock: TestClock
  readonly ids: Ids
  readonly providers: ReturnType<typeof connectorOnlyProviders>
}

/**
 * Starts the HTTP server on a free port over a real SQLite database and the real admin use-cases. What asks a
 * provider (grants, mail, detection) is a fake that tests may replace.
 */
export async function startHttpApp(
  replace: {
    readonly services?: Partial<Services> | ((deps: HttpAppDeps) => Partial<Services>)
    readonly http?: Partial<HttpDeps>
    readonly webhooks?: { readonly challengeTimeoutMs?: number }
    readonly allowedNetworks?: readonly string[]
    /** Requests are limited only where a test says so: the clock stands still. */
    readonly rateLimits?: { readonly wrap: (rates: RateStore) => RateStore }
  } = {},
): Promise<HttpApp> {
  const folder = await mkdtemp(path.join(tmpdir(), 'grantway-http-'))
  const clock = testClock()
  const database = await openSqliteDatabase({
    path: path.join(folder, 'test.db'),
    clock,
    ids: randomIds,
    logger: silentLogger,
  })
  await database.migrate()
  const operatorKeys = [{ id: 'k1', key: randomBytes(32) }]
  const vault = createVault(await loadDataKeys({ database, operatorKeys, clock, ids: randomIds }))
  const deps: HttpAppDeps = { database, vault, clock, ids: randomIds, providers: connectorOnlyProviders() }
  const guard = createEgressGuard({ allowedNetworks: replace.allowedNetworks ?? ['127.0.0.0/8'] })
  const userHosts = createHttpClient({ guard })
  const apiKeys = createApiKeyService(deps)
  const limits = createRequestLimits({
    rates: replace.rateLimits?.wrap(database.stores.rates) ?? database.stores.rates,
    clock,
    log: silentLogger,
    factor: replace.rateLimits ? 1 : 0,
  })
  const services: Services = {
    condition: () => Promise.resolve({ grants: [], alarms: [] }),
    apiKeys,
    applications: createApplicationService(deps),
    callbackUris: createCallbackUriService(deps),
    connectors: createConnectorService(deps),
    credentials: createCredentialService(deps),
    grants: storedGrants(database),
    imports: { importRows: async () => [] },
    detect: nothingDetected,
    mail: emptyMail,
    outgoing: nothingGoesOut,
    clean: { clean: () => Promise.resolve([]), close: () => Promise.resolve() },
    signatures: createSignatureService(deps),
    templates: createTemplateService(deps),
    schedules: createScheduleService(deps),
    uploads: createUploads({
      ...deps,
      access: createMailAccess(deps),
      contents: createContentKeeper({ ...deps, log: silentLogger }),
      publicUrl: () => url,
    }),
    tracking: createTrackingService({ ...deps, log: silentLogger, mode: 'anonymous', publicUrl: undefined }),
    idempotency: createIdempotency({ ...deps, log: silentLogger }),
    tokens: createTokenService({
      ...deps,
      apiKeys,
      attempts: createTokenAttempts(limits),
      log: silentLogger,
      issuer: () => 'https://issuer.example',
    }),
    browserOrigins: createBrowserOriginService(deps),
    hosted: nobodySignsIn,
    webhooks: createWebhookService({ ...deps, userHosts, egressIps: ['203.0.113.7'], ...replace.webhooks }),
    deliveries: createDeliveryService(deps),
    auditLog: createAuditLogService(deps),
    limits,
    ...(typeof replace.services === 'function' ? replace.services(deps) : replace.services),
  }
  const mine = await services.applications.create({ name: 'Mine' })
  const other = await services.applications.create({ name: 'Other' })
  const key = await services.apiKeys.create(mine.id, { name: 'test' })
  const otherKey = await services.apiKeys.create(other.id, { name: 'test' })

  const app = await createHttpServer({
    services,
    logger: silentLogger,
    trustedProxies: [],
    bodyLimitBytes: 1_000_000,
    readiness: async () => (await database.pendingMigrations()).length === 0,
    version: '0.0.0-test',
    ...replace.http,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    port: Number(new URL(url).port),
    key: key.value,
    applicationId: mine.id,
    otherKey: otherKey.value,
    otherApplicationId: other.id,
    services,
    database,
    clock,
    async call(method, pathname, body, headers = {}) {
      const response = await fetch(url + pathname, {
        method,
        headers: {
          authorization: `Bearer ${key.value}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: parse(text) }
    },
    async close() {
      await app.close()
      await userHosts.close()
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A grant record of an application, with what a test wants to be different. */
export function grantRecord(change: Partial<GrantRecord> = {}): GrantRecord {
  const email = change.email ?? `${randomIds.token(4)}@example.com`
  return {
    id: grantId(randomIds.uuid()),
    applicationId: applicationId('app'),
    connectorId: connectorId(randomIds.uuid()),
    provider: 'google',
    email,
    emailKey: email.toLowerCase(),
    identityKey: null,
    providerUserId: null,
    name: null,
    status: 'valid',
    reason: null,
    scope: [],
    state: null,
    ip: null,
    userAgent: null,
    settings: {},
    credentialId: null,
    accountId: null,
    blocked: false,
    createdAt: 1_767_225_600,
    updatedAt: 1_767_225_600,
    ...change,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the start page and metrics are no JSON
  }
}

function testClock(): TestClock {
  let offsetMs = 0
  return {
    nowMs: () => 1_767_225_600_000 + offsetMs,
    advance: (ms) => {
      offsetMs += ms
    },
  }
}

/** Grants straight from the store, for tests of the HTTP side. */
function storedGrants(database: Database): GrantService {
  return {
    connectCustom: () => Promise.reject(appError('grant.provider_required')),
    list: (caller, filter, page) => database.stores.grants.list(caller.applicationId, filter, page),
    async locate(caller, identifier) {
      if (identifier === 'me') throw appError('token.unauthorized_access')
      const found = await database.stores.grants.find(caller.applicationId, grantId(identifier))
      if (!found) throw appError('grant.not_found')
      return found
    },
    aliases: () => Promise.resolve(['alias@example.com']),
    update: (_caller, grant) => Promise.resolve(grant),
    async delete(caller, grant) {
      await database.stores.grants.delete(caller.applicationId, grant.id)
    },
  }
}

const nothingDetected: DetectService = {
  detect: (_caller, email) => Promise.resolve({ email_address: email, detected: false }),
}

const emptyPage = () => Promise.resolve({ items: [] })
const notThere = () => Promise.reject(appError('not_found_error'))
const nothingGoesOut: OutgoingService = {
  send: notThere,
  sendRaw: notThere,
  createDraft: notThere,
  updateDraft: notThere,
  sendDraft: notThere,
  listDrafts: () => Promise.resolve({ items: [] }),
  findDraft: notThere,
  deleteDraft: notThere,
}

/** A mailbox with nothing in it; tests replace what they ask. */
export const emptyMail: MailService = {
  listMessages: emptyPage,
  findMessage: notThere,
  updateMessage: notThere,
  deleteMessage: notThere,
  listThreads: emptyPage,
  findThread: notThere,
  updateThread: notThere,
  deleteThread: notThere,
  listFolders: emptyPage,
  findFolder: notThere,
  createFolder: notThere,
  updateFolder: notThere,
  deleteFolder: notThere,
  findAttachment: notThere,
  openAttachment: notThere,
}

const over: HostedStep = { kind: 'stop', status: 400, type: 'grant.login_id_invalid', message: 'Over.' }
const stopped = () => Promise.resolve({ step: over, branding: null })
const nobodySignsIn: HostedService = {
  start: () => Promise.resolve({ step: over, session: null, branding: null }),
  show: stopped,
  choose: stopped,
  detect: stopped,
  submit: stopped,
  cancel: stopped,
  callback: stopped,
}
