import { Type } from 'typebox'
import type { ConnectorSpec } from '../../core/ports/provider.ts'
import { normalizeScope } from './scopes.ts'

const text = Type.String({ minLength: 1, maxLength: 8192 })
const client = { client_id: text, client_secret: text }

/** What a Google connector holds (contract/auth.md 5.1, 5.2). */
export const googleConnector: ConnectorSpec = {
  settings: Type.Object({ ...client, topic_name: Type.Optional(Type.String({ maxLength: 512 })) }),
  publicSettings: ['topic_name'],
  isOAuthClient: true,
  takesScope: true,
  credentials: {
    connector: { data: Type.Object(client), publicData: ['client_id'] },
    // A service account's JSON key as Google hands it out; further fields of the file are kept.
    serviceaccount: {
      data: Type.Object({
        type: Type.Optional(Type.Literal('service_account')),
        private_key_id: text,
        private_key: Type.String({ minLength: 1, maxLength: 16384 }),
        client_email: text,
      }),
      publicData: ['client_email'],
    },
  },
  normalizeScope,
}
