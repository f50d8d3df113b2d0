import { isProviderName, type ProviderName } from '../../contract/providers.ts'
import type { HostedRequest } from './hosted-request.ts'
import type { ReturnAddress } from './redirect.ts'
import { invalidParameter } from './refusal.ts'

export type Query = { readonly [name: string]: string }

/** contract/auth.md 3 */
const MOST_STATE = 256
/** Longest address there is (RFC 5321 section 4.5.3.1, local part and domain). */
const MOST_ADDRESS = 320
const MOST_SCOPES = 200
const MOST_SCOPE_TEXT = 8192
const MOST_LIST = 512
const MOST_CHALLENGE = 256

/** RFC 6749 section 3.3 */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/
/** Text of RFC 7636 section 4.2, and the marks of plain base64. */
const CHALLENGE = /^[A-Za-z0-9._~+/=-]+$/

/** Where faults of the other parameters may be told to: a state that is too long is not sent back. */
export function readReturnAddress(query: Query, redirectUri: string): ReturnAddress {
  const state = query['state'] ?? ''
  return { redirectUri, state: state === '' || state.length > MOST_STATE ? null : state }
}

/**
 * Reads the parameters of `/v3/connect/auth` with every SDK's habits (contract/auth.md 3). Unknown ones are ignored.
 * @throws AppError for the application; the message names the parameter
 */
export function readParameters(query: Query, address: ReturnAddress): HostedRequest {
  if ((query['state'] ?? '').length > MOST_STATE) {
    throw invalidParameter(`state may have ${MOST_STATE} characters at most`)
  }
  // No database keeps it: the state becomes the grant's.
  if (address.state?.includes('\0')) throw invalidParameter('state must not contain a zero character')
  const options = readList(query, 'options').map((option) => option.replaceAll('_', ''))
  return {
    ...address,
    responseType: readResponseType(query),
    providers: readProviders(query),
    panels: readPanels(query),
    scope: readScope(query),
    offline: readAccessType(query),
    loginHint: readText(query, 'login_hint', MOST_ADDRESS),
    includeGrantScopes: isTrue(query['include_grant_scopes']),
    excludeGrantedScopes: options.includes('excludegooglegrantedscopes'),
    // The Java SDK sends it as a parameter of its own.
    smtpRequired: options.includes('smtprequired') || isTrue(query['smtp_required']),
    ...readChallenge(query),
    credentialId: readText(query, 'credential_id', 128) || null,
  }
}

function readResponseType(query: Query): HostedRequest['responseType'] {
  const type = query['response_type'] ?? ''
  if (type === 'code' || type === 'adminconsent') return type
  throw type === ''
    ? invalidParameter('response_type is required')
    : invalidParameter('response_type must be code or adminconsent', 'unsupported_response_type')
}

function readProviders(query: Query): readonly ProviderName[] | null {
  const names = readList(query, 'provider')
  const unknown = names.find((name) => !isProviderName(name))
  if (unknown !== undefined) throw invalidParameter('provider names one that hosted authentication has not')
  const providers = [...new Set(names.filter(isProviderName))]
  return providers.length > 0 ? providers : null
}

/** Google's and others' values of `prompt` mean nothing here, and are no fault. */
function readPanels(query: Query): HostedRequest['panels'] {
  const panels = readList(query, 'prompt').flatMap((name): HostedRequest['panels'] =>
    name === 'select_provider' ? ['providers'] : name === 'detect' ? ['detect'] : [],
  )
  return panels.length > 0 ? [...new Set(panels)] : ['providers']
}

/** `a%20b`, `a+b` as the Node SDK writes it, and `a%2Bb` as one that encodes once more would. */
function readScope(query: Query): readonly string[] | null {
  const text = query['scope'] ?? ''
  const scopes = [...new Set(text.split(/[\s+]+/).filter(Boolean))]
  const isValid =
    text.length <= MOST_SCOPE_TEXT &&
    scopes.length <= MOST_SCOPES &&
    scopes.every((scope) => scope.length <= 512 && SCOPE.test(scope))
  if (!isValid) throw invalidParameter('scope is not a list of scopes, or is too long', 'invalid_scope')
  return scopes.length > 0 ? scopes : null
}

function readAccessType(query: Query): boolean {
  const type = (query['access_type'] ?? '').toLowerCase()
  if (type === '' || type === 'online' || type === 'offline') return type === 'offline'
  throw invalidParameter('access_type must be online or offline')
}

function readChallenge(query: Query): Pick<HostedRequest, 'challenge' | 'challengeMethod'> {
  const challenge = query['code_challenge'] ?? ''
  const method = query['code_challenge_method'] ?? ''
  const name = method.toLowerCase()
  if (!['', 'plain', 's256'].includes(name)) {
    throw invalidParameter('code_challenge_method must be S256 or plain')
  }
  if (challenge === '') {
    if (method !== '') throw invalidParameter('code_challenge_method needs a code_challenge')
    return { challenge: null, challengeMethod: null }
  }
  if (challenge.length > MOST_CHALLENGE || !CHALLENGE.test(challenge)) {
    throw invalidParameter('code_challenge is not valid')
  }
  return { challenge, challengeMethod: name === 's256' ? 'S256' : 'plain' }
}

/** Python writes `True` (contract/auth.md rule 8). */
function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}

function readList(query: Query, name: string): readonly string[] {
  return readText(query, name, MOST_LIST)
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

function readText(query: Query, name: string, most: number): string {
  const value = (query[name] ?? '').trim()
  if (value.length > most || /\p{Cc}/u.test(value)) throw invalidParameter(`${name} is not valid`)
  return value
}
