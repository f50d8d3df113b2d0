import { Type } from 'typebox'
import type { ConnectorSpec } from '../../core/ports/provider.ts'
import { TENANT_PATTERN } from './endpoints.ts'
import { normalizeScope } from './scopes.ts'

const text = Type.String({ minLength: 1, maxLength: 8192 })
const tenant = Type.String({ pattern: TENANT_PATTERN })
const client = { client_id: text, client_secret: text }

/** What a Microsoft connector holds (contract/auth.md 5.1, 5.2). Without a tenant it is `common`. */
export const microsoftConnector: ConnectorSpec = {
  settings: Type.Object({ ...client, tenant: Type.Optional(tenant) }),
  publicSettings: ['tenant'],
  isOAuthClient: true,
  takesScope: true,
  credentials: {
    connector: {
      data: Type.Object({ ...client, tenant: Type.Optional(tenant) }),
      publicData: ['client_id', 'tenant'],
    },
    // App permissions; client id and secret default to the connector's own.
    adminconsent: {
      data: Type.Object({
        client_id: Type.Optional(text),
        client_secret: Type.Optional(text),
        tenant: Type.Optional(tenant),
      }),
      publicData: ['client_id', 'tenant'],
    },
  },
  normalizeScope,
}
