import type { Stores } from '../core/ports/stores.ts'
import type { Connection, Engine } from './engine.ts'
import { createApiKeyStore } from './repositories/api-keys.ts'
import { createApplicationStore } from './repositories/applications.ts'
import { createAuditStore } from './repositories/audit-log.ts'
import { createAuthorizationCodeStore } from './repositories/authorization-codes.ts'
import { createCallbackUriStore } from './repositories/callback-uris.ts'
import { createConnectorStore } from './repositories/connectors.ts'
import { createContentStore } from './repositories/contents.ts'
import { createCredentialStore } from './repositories/credentials.ts'
import { createDataKeyStore } from './repositories/data-keys.ts'
import { createImportStore } from './repositories/grant-import.ts'
import { createDraftTrackingStore } from './repositories/draft-tracking.ts'
import { createIdempotencyStore } from './repositories/idempotency-keys.ts'
import { createGrantSecretStore } from './repositories/grant-secrets.ts'
import { createGrantStore } from './repositories/grants.ts'
import { createImapIndexStore } from './repositories/imap-index.ts'
import { createIssuedTokenStore } from './repositories/issued-tokens.ts'
import { createJobStore } from './repositories/jobs.ts'
import { createMetadataStore } from './repositories/metadata.ts'
import { createOAuthSessionStore } from './repositories/oauth-sessions.ts'
import { createOutboxStore } from './repositories/outbox.ts'
import { createPendingSecretStore } from './repositories/pending-secrets.ts'
import { createRateStore } from './repositories/rates.ts'
import { createScheduledSendStore } from './repositories/scheduled-sends.ts'
import { createReplyWatchStore } from './repositories/reply-watches.ts'
import { createSealedStore } from './repositories/sealed-values.ts'
import { createSeenTokenStore } from './repositories/seen-tokens.ts'
import { createSignatureStore } from './repositories/signatures.ts'
import { createSigningKeyStore } from './repositories/signing-keys.ts'
import { createTemplateStore } from './repositories/templates.ts'
import { createUploadStore } from './repositories/uploads.ts'
import { createTrackingStore } from './repositories/tracking.ts'
import { createWebhookStore } from './repositories/webhooks.ts'

/** Makes all stores over one connection or transaction. */
export function createStores(connection: Connection, engine: Engine): Stores {
  return {
    applications: createApplicationStore(connection, engine),
    apiKeys: createApiKeyStore(connection, engine),
    callbackUris: createCallbackUriStore(connection, engine),
    connectors: createConnectorStore(connection, engine),
    credentials: createCredentialStore(connection, engine),
    grants: createGrantStore(connection, engine),
    secrets: createGrantSecretStore(connection, engine),
    seenTokens: createSeenTokenStore(connection, engine),
    pendingSecrets: createPendingSecretStore(connection, engine),
    dataKeys: createDataKeyStore(connection, engine),
    sealed: createSealedStore(connection, engine),
    outbox: createOutboxStore(connection, engine),
    jobs: createJobStore(connection, engine),
    webhooks: createWebhookStore(connection, engine),
    rates: createRateStore(connection, engine),
    audit: createAuditStore(connection, engine),
    oauthSessions: createOAuthSessionStore(connection, engine),
    authorizationCodes: createAuthorizationCodeStore(connection, engine),
    issuedTokens: createIssuedTokenStore(connection),
    signingKeys: createSigningKeyStore(connection, engine),
    imports: createImportStore(connection, engine),
    signatures: createSignatureStore(connection),
    templates: createTemplateStore(connection),
    metadata: createMetadataStore(connection, engine),
    idempotency: createIdempotencyStore(connection, engine),
    imapIndex: createImapIndexStore(connection),
    draftTracking: createDraftTrackingStore(connection, engine),
    tracking: createTrackingStore(connection, engine),
    replyWatches: createReplyWatchStore(connection, engine),
    scheduledSends: createScheduledSendStore(connection, engine),
    contents: createContentStore(connection, engine),
    uploads: createUploadStore(connection, engine),
  }
}
