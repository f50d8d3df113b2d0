import { Type } from 'typebox'
import type { ProviderName } from '../../src/contract/providers.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { appError } from '../../src/contract/errors.ts'

const facts = { rotatesStrictly: false, supersededTokenStaysValid: true }
const identity: ProviderModule['identity'] = {
  readSettings: () => {
    throw appError('api.invalid_request_error', 'not used here')
  },
  identify: () => Promise.reject(new Error('not used here')),
}
const text = Type.String({ minLength: 1 })
const client = { client_id: text, client_secret: text }

/** Provider modules whose connector part is like the real ones'; they speak to nobody. */
export function connectorOnlyProviders(): ReadonlyMap<ProviderName, ProviderModule> {
  const modules: readonly ProviderModule[] = [
    {
      id: 'google',
      displayName: 'Google',
      facts,
      identity,
      connector: {
        settings: Type.Object({ ...client, topic_name: Type.Optional(Type.String()) }),
        publicSettings: ['topic_name'],
        isOAuthClient: true,
        takesScope: true,
        credentials: {
          connector: { data: Type.Object(client), publicData: ['client_id'] },
          serviceaccount: {
            data: Type.Object({ private_key_id: text, private_key: text, client_email: text }),
            publicData: ['client_email'],
          },
        },
      },
    },
    {
      id: 'microsoft',
      displayName: 'Microsoft',
      facts,
      identity,
      connector: {
        settings: Type.Object({ ...client, tenant: Type.Optional(Type.String()) }),
        publicSettings: ['tenant'],
        isOAuthClient: true,
        takesScope: true,
        credentials: {
          connector: {
            data: Type.Object({ ...client, tenant: Type.Optional(text) }),
            publicData: ['client_id'],
          },
          adminconsent: {
            data: Type.Partial(Type.Object({ ...client, tenant: text })),
            publicData: ['tenant'],
          },
        },
        normalizeScope: (scope) => scope.replace(/^https:\/\/graph\.microsoft\.com\//i, ''),
      },
    },
    plain('imap', 'IMAP'),
    plain('virtual-calendar', 'Virtual calendar'),
  ]
  return new Map(modules.map((module) => [module.id, module]))
}

function plain(id: ProviderName, displayName: string): ProviderModule {
  return {
    id,
    displayName,
    facts,
    identity,
    connector: {
      settings: Type.Object({}),
      publicSettings: [],
      isOAuthClient: false,
      takesScope: false,
      credentials: {},
    },
  }
}
