import type { Account, Identity, IdentifyCall, Tokens } from '../../core/ports/identity.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { idTokenClaims } from '../../protocols/oauth2/id-token.ts'
import { accountAddress, accountName, accountOfClaims, aliasesOf } from './account.ts'
import { openGraph } from './api.ts'
import { exchangeMicrosoft } from './exchange.ts'
import {
  callGraph,
  errorOf,
  type GraphDeps,
  isSuccess,
  type QueryParameters,
  readObject,
} from './graph-call.ts'
import { mailboxOf, userPath } from './mailbox.ts'
import { readMicrosoftSettings } from './settings.ts'

/** contract/auth.md 10.2; `proxyAddresses` is not there, personal accounts don't have it. */
const WHO: QueryParameters = [['$select', 'id,mail,userPrincipalName,displayName,otherMails']]

/** How Microsoft's accounts are signed in: by refresh token, or by app permissions for a mailbox. */
export function createMicrosoftIdentity(deps: GraphDeps): Identity {
  return {
    readSettings: readMicrosoftSettings,
    exchange: (call) => exchangeMicrosoft(deps, call),
    async identify(call) {
      const { tokens } = call
      if (!tokens) throw new ProviderError('invalid-request', 'Microsoft needs a token to name the account.')
      return call.secret.kind === 'impersonation'
        ? identifyMailbox(deps, call, tokens, call.secret.emailAddress)
        : identifyUser(deps, call, tokens)
    },
    // No revoke: Microsoft has no endpoint that revokes one token (contract/auth.md 10.2, checked 2026-11).
    async aliases(session) {
      const api = openGraph(deps, session)
      const { root } = mailboxOf(session)
      try {
        return aliasesOf(await api.getJson(root, [['$select', 'proxyAddresses']]), session.email)
      } catch (error) {
        // Personal accounts have no such property, and reading it may not be allowed: then none are known.
        const isAbsent =
          error instanceof ProviderError &&
          ['invalid-request', 'scope-missing', 'access-refused'].includes(error.kind)
        if (isAbsent) return []
        throw error
      }
    },
  }
}

/** Graph's `/me`; where `User.Read` is missing, the id token. */
async function identifyUser(deps: GraphDeps, call: IdentifyCall, tokens: Tokens): Promise<Account> {
  const claims = await idTokenClaims(tokens.idToken)
  const user = await tryGet(deps, call, tokens, '/me', WHO)
  const fromToken = accountOfClaims(claims)
  const email = (user instanceof ProviderError ? undefined : accountAddress(user)) ?? fromToken.email
  if (!email) {
    throw new ProviderError('access-refused', 'The email address of the account could not be learned.', {
      advice: 'Ask for the scope User.Read (or openid, profile and email) when the user consents.',
      answered: true,
      ...(user instanceof ProviderError ? refusalOf(user) : {}),
    })
  }
  const id = user instanceof ProviderError ? fromToken.userId : stringField(user, 'id')
  const name = (user instanceof ProviderError ? undefined : accountName(user)) ?? fromToken.name
  return {
    email,
    identityKey: id || null,
    ...(id ? { providerUserId: id } : {}),
    ...(name ? { name } : {}),
    ...(tokens.scope ? { scope: tokens.scope } : {}),
    publicSettings: call.publicSettings,
  }
}

/** The user by address; where the app may not read users, its mailbox must answer. */
async function identifyMailbox(
  deps: GraphDeps,
  call: IdentifyCall,
  tokens: Tokens,
  address: string,
): Promise<Account> {
  const user = await tryGet(deps, call, tokens, userPath(address), WHO)
  if (!(user instanceof ProviderError)) {
    const id = stringField(user, 'id')
    const name = accountName(user)
    return {
      email: accountAddress(user) ?? address,
      identityKey: id || null,
      ...(id ? { providerUserId: id } : {}),
      ...(name ? { name } : {}),
      publicSettings: call.publicSettings,
    }
  }
  const inbox = await tryGet(deps, call, tokens, `${userPath(address)}/mailFolders/inbox`, [
    ['$select', 'id'],
  ])
  if (inbox instanceof ProviderError) throw inbox
  return { email: address, identityKey: null, publicSettings: call.publicSettings }
}

/** Asks with the new token. A refusal (permission not granted) is given back; everything else throws. */
async function tryGet(
  deps: GraphDeps,
  { signal, secret }: IdentifyCall,
  tokens: Tokens,
  path: string,
  query: QueryParameters,
): Promise<JsonObject | ProviderError> {
  // Before the account is known its slots can't be shared; app permissions name the mailbox.
  const mailbox = secret.kind === 'impersonation' ? secret.emailAddress.toLowerCase() : `token:${path}`
  const caller = { token: tokens.accessToken, mailbox, signal }
  const response = await callGraph(deps, caller, { method: 'GET', path, query, maxBytes: 1024 * 1024 })
  if (isSuccess(response)) return readObject(response)
  const error = errorOf(response, deps.clock)
  if (['scope-missing', 'access-refused', 'invalid-request'].includes(error.kind)) return error
  throw error
}

/** What Graph said, for `provider_error`. */
function refusalOf(error: ProviderError) {
  const { providerBody, providerCode } = error.details
  return {
    cause: error,
    ...(providerBody ? { providerBody } : {}),
    ...(providerCode === undefined ? {} : { providerCode }),
  }
}
