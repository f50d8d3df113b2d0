import { Type } from 'typebox'
import { appError } from '../../contract/errors.ts'
import type { Account } from '../../core/ports/identity.ts'
import type { ProviderModule } from '../../core/ports/provider.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'

const LONGEST_NAME = 320

/** Makes the provider of calendars that this server itself keeps, for rooms and people without a mailbox. */
export function createVirtualCalendar(): ProviderModule {
  return {
    id: 'virtual-calendar',
    displayName: 'Virtual Calendar',
    // There is no token that could rotate.
    facts: { rotatesStrictly: false, supersededTokenStaysValid: true },
    connector: {
      settings: Type.Object({}),
      publicSettings: [],
      isOAuthClient: false,
      takesScope: false,
      credentials: {},
    },
    identity: {
      readSettings(settings) {
        const name = (stringField(settings, 'email') ?? stringField(settings, 'email_address'))?.trim()
        if (!name) throw appError('api.invalid_request_error', 'settings.email is required')
        if (name.length > LONGEST_NAME) {
          throw appError(
            'api.invalid_request_error',
            `settings.email is longer than ${LONGEST_NAME} characters`,
          )
        }
        return { secret: { kind: 'none' }, publicSettings: { email: name } }
      },
      unverified: ({ publicSettings }) => accountOf(stringField(publicSettings, 'email') ?? ''),
      /** Nobody has to be asked: the name is the account, in any capitals. */
      identify({ publicSettings }) {
        const name = stringField(publicSettings, 'email')
        if (!name) {
          return Promise.reject(new ProviderError('invalid-request', 'A virtual calendar needs a name.'))
        }
        return Promise.resolve(accountOf(name))
      },
    },
  }
}

function accountOf(name: string): Account {
  return { email: name, identityKey: name.toLowerCase(), publicSettings: { email: name } }
}
