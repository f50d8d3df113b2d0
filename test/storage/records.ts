// Builders of whole records: each call gives one that clashes with no other.
import { randomUUID } from 'node:crypto'
import { applicationId, connectorId, credentialId, grantId } from '../../src/contract/ids.ts'
import type {
  ApiKeyRecord,
  ApplicationRecord,
  CallbackUriRecord,
  ConnectorRecord,
  CredentialRecord,
  GrantRecord,
  OutboxEvent,
} from '../../src/core/ports/records.ts'
import type { SeenTokenKey } from '../../src/core/ports/stores.ts'
import type { StoredTokens } from '../../src/core/ports/grant-secret-store.ts'

export const newApplicationId = () => applicationId(randomUUID())

export function anApplication(changes: Partial<ApplicationRecord> = {}): ApplicationRecord {
  return {
    id: newApplicationId(),
    name: 'Acme ✉',
    settings: { branding: { name: 'Acme', nested: ['é', 1, null] } },
    blocked: false,
    createdAt: 1_700_000_000,
    updatedAt: 1_700_000_001,
    ...changes,
  }
}

export function anApiKey(changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: randomUUID(),
    applicationId: newApplicationId(),
    name: 'ci',
    hash: randomUUID(),
    createdAt: 1_700_000_000,
    revokedAt: null,
    ...changes,
  }
}

export function aCallbackUri(changes: Partial<CallbackUriRecord> = {}): CallbackUriRecord {
  return {
    id: randomUUID(),
    applicationId: newApplicationId(),
    url: 'https://example.com/callback',
    platform: 'web',
    settings: { origin: 'https://example.com' },
    createdAt: 1_700_000_000,
    ...changes,
  }
}

export function aConnector(changes: Partial<ConnectorRecord> = {}): ConnectorRecord {
  return {
    id: connectorId(randomUUID()),
    applicationId: newApplicationId(),
    provider: 'google',
    name: 'Google',
    settings: { topic_name: 'projects/x/topics/y' },
    scope: ['openid', 'email'],
    activeCredentialId: null,
    alarm: null,
    createdAt: 1_700_000_000,
    updatedAt: 1_700_000_000,
    ...changes,
  }
}

export function aCredential(connector: ConnectorRecord, changes: Partial<CredentialRecord> = {}) {
  return {
    id: credentialId(randomUUID()),
    applicationId: connector.applicationId,
    connectorId: connector.id,
    provider: connector.provider,
    name: randomUUID(),
    type: 'connector',
    publicData: { client_id: 'client' },
    sealedData: 'sealed',
    digest: randomUUID(),
    createdAt: 1_700_000_000,
    updatedAt: 1_700_000_000,
    ...changes,
  } satisfies CredentialRecord
}

export function aGrant(changes: Partial<GrantRecord> = {}): GrantRecord {
  const email = changes.email ?? `User.${randomUUID()}@Example.com`
  return {
    id: grantId(randomUUID()),
    applicationId: newApplicationId(),
    connectorId: connectorId(randomUUID()),
    provider: 'google',
    email,
    emailKey: email.toLowerCase(),
    identityKey: '1234',
    providerUserId: '1234',
    name: 'Zoë',
    status: 'valid',
    reason: null,
    scope: ['openid'],
    state: 'my-state',
    ip: '192.0.2.1',
    userAgent: 'curl/8',
    settings: { any: { thing: true } },
    credentialId: null,
    accountId: null,
    blocked: false,
    createdAt: 1_700_000_000,
    updatedAt: 1_700_000_100,
    ...changes,
  }
}

export function someTokens(changes: Partial<StoredTokens> = {}): StoredTokens {
  return {
    sealedSecret: `secret-${randomUUID()}`,
    sealedAccessToken: `access-${randomUUID()}`,
    accessExpiresAt: 1_700_003_600,
    sealedSuperseded: null,
    nextRefreshAtMs: 1_700_003_000_000,
    ...changes,
  }
}

export function aTokenKey(changes: Partial<SeenTokenKey> = {}): SeenTokenKey {
  return {
    applicationId: newApplicationId(),
    provider: 'google',
    clientId: 'client',
    digest: randomUUID(),
    ...changes,
  }
}

export function anEvent(changes: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    id: randomUUID(),
    applicationId: newApplicationId(),
    grantId: grantId(randomUUID()),
    trigger: 'grant.created',
    source: '/nylas/system',
    data: { object: { name: 'Zoë', nested: [1, null] } },
    createdAt: 1_700_000_000,
    ...changes,
  }
}

export const anAttempt = (holder = 'somebody') => ({ id: randomUUID(), holder })
