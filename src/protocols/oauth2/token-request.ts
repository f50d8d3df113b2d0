import {
  type HttpClient,
  type HttpResponse,
  jsonOf,
  retryAfterSeconds,
} from '../../kit/outbound/http-client.ts'
import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { Secret } from '../../kit/secret.ts'

/** What a token endpoint answered, read. */
export interface TokenAnswer {
  readonly accessToken: Secret
  /** Unix seconds; 3600 s from now where the provider gives no `expires_in`. */
  readonly expiresAt: number
  /** Only when the provider gave a new one; the old one may be dead then: store before use. */
  readonly refreshToken?: Secret
  readonly scope?: readonly string[]
  readonly idToken?: Secret
  /** The whole answer, for a provider's own extra fields. Holds secrets: never log it. */
  readonly body: JsonObject
}

export interface TokenRequest {
  readonly url: string
  readonly client: { readonly clientId: string; readonly clientSecret?: Secret }
  /** Where the client's credentials go: form fields or HTTP Basic (RFC 6749 section 2.3.1). */
  readonly clientAuthentication: 'body' | 'basic' | 'none'
  /** The rest of the form: `grant_type` and what belongs to it. */
  readonly form: { readonly [name: string]: string | Secret | undefined }
  readonly signal: AbortSignal
  /**
   * Judges an error answer: the provider's own table. `undefined` falls to the common rules of
   * `judgeTokenError`.
   */
  readonly judge?: (answer: TokenErrorAnswer) => ProviderError | undefined
  readonly nowMs: number
}

/** An error answer of a token endpoint. */
export interface TokenErrorAnswer {
  readonly status: number
  /** `error` of the body; `""` where the body is not the documented JSON */
  readonly error: string
  readonly description: string
  readonly body: JsonObject | undefined
  /** Fit for `provider_error`: only the documented fields of RFC 6749 section 5.2 and their like. */
  readonly shown: JsonObject
  readonly retryAfterSeconds: number | undefined
}

/** A token call is never hung up on early: the token may be spent already (design.md section 4, step 4). */
export const TOKEN_TIMEOUT_MS = 15_000
const TOKEN_MAX_BYTES = 1024 * 1024
const SHOWN_FIELDS = [
  'error',
  'error_description',
  'error_subtype',
  'error_codes',
  'error_uri',
  'suberror',
  'reason',
]

/**
 * Posts a form to a token endpoint and reads the answer.
 *
 * @returns tokens; `refreshToken` only when the provider rotated it, and then the old one may be dead
 * @throws ProviderError `grant-revoked`, `client-misconfigured`, `invalid-request`, `rate-limited`,
 *         `unavailable`, `timeout`, `malformed-response`; `answered: false` where a refresh token may have
 *         been spent without our seeing the answer
 * @see RFC 6749 sections 4.4, 5.1, 5.2 and 6
 */
export async function requestToken(http: HttpClient, request: TokenRequest): Promise<TokenAnswer> {
  const response = await http.request({
    method: 'POST',
    url: request.url,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...authorization(request),
    },
    body: formBody(request),
    signal: request.signal,
    timeoutMs: TOKEN_TIMEOUT_MS,
    outlastsPauses: true,
    maxBytes: TOKEN_MAX_BYTES,
  })
  const body = jsonOf(response)
  if (response.status === 200 && isJsonObject(body)) {
    const answer = readTokens(body, request.nowMs)
    if (answer) return answer
  }
  if (response.status >= 200 && response.status < 300) {
    // A captive portal, or an answer cut short: tokens may have been in it.
    throw new ProviderError(
      'malformed-response',
      'The token endpoint answered something that is not a token.',
      {
        answered: false,
        httpStatus: response.status,
      },
    )
  }
  const answer = readError(response, withoutSecrets(body, sentSecrets(request)), request.nowMs)
  throw request.judge?.(answer) ?? judgeTokenError(answer)
}

function authorization({ client, clientAuthentication }: TokenRequest): { readonly authorization?: string } {
  if (clientAuthentication !== 'basic') return {}
  const pair = `${formEncode(client.clientId)}:${formEncode(client.clientSecret?.open() ?? '')}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they go into Basic. */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

function formBody({ client, clientAuthentication, form }: TokenRequest): string {
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) {
    if (value !== undefined) fields.set(name, value instanceof Secret ? value.open() : value)
  }
  if (clientAuthentication !== 'basic' && !fields.has('assertion')) fields.set('client_id', client.clientId)
  if (clientAuthentication === 'body' && client.clientSecret && !fields.has('assertion')) {
    fields.set('client_secret', client.clientSecret.open())
  }
  return fields.toString()
}

/** Shorter texts stand in answers by chance. */
const SHORTEST_SECRET = 8

/** All forms in which the request carried secrets. */
function sentSecrets(request: TokenRequest): readonly string[] {
  const { client, form } = request
  const values = [client.clientSecret, ...Object.values(form)].flatMap((value) =>
    value instanceof Secret ? [value.open()] : [],
  )
  const basic = authorization(request).authorization?.replace('Basic ', '')
  return [...values, ...values.map(formEncode), ...(basic === undefined ? [] : [basic])]
    .filter((text) => text.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
}

/** Takes out of an error answer what the request carried: nobody promises that a provider, or a proxy, quotes none of it. */
function withoutSecrets(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') {
    return secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), value)
  }
  if (Array.isArray(value)) return value.map((item: unknown) => withoutSecrets(item, secrets))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withoutSecrets(item, secrets)]),
  )
}

function readTokens(body: JsonObject, nowMs: number): TokenAnswer | undefined {
  const accessToken = stringField(body, 'access_token')
  if (!accessToken) return undefined
  const refreshToken = stringField(body, 'refresh_token')
  const idToken = stringField(body, 'id_token')
  const scope = stringField(body, 'scope')
  const lifetime = numberField(body, 'expires_in')
  return {
    accessToken: new Secret(accessToken),
    expiresAt:
      Math.floor(nowMs / 1000) + (lifetime !== undefined && lifetime > 0 ? Math.floor(lifetime) : 3600),
    ...(refreshToken ? { refreshToken: new Secret(refreshToken) } : {}),
    ...(idToken ? { idToken: new Secret(idToken) } : {}),
    ...(scope === undefined ? {} : { scope: scope.split(/[\s,]+/).filter(Boolean) }),
    body,
  }
}

function readError(response: HttpResponse, body: unknown, nowMs: number): TokenErrorAnswer {
  const object = isJsonObject(body) ? body : undefined
  const shown: { [name: string]: unknown } = {}
  for (const name of SHOWN_FIELDS) {
    const value = object?.[name]
    if (typeof value === 'string') shown[name] = value.slice(0, 2000)
    else if (typeof value === 'number' || Array.isArray(value)) shown[name] = value
  }
  if (Object.keys(shown).length === 0) shown['error'] = `HTTP ${response.status}`
  return {
    status: response.status,
    error: object ? (stringField(object, 'error') ?? '') : '',
    description: object
      ? (stringField(object, 'error_description') ?? stringField(object, 'reason') ?? '')
      : '',
    body: object,
    shown,
    retryAfterSeconds: retryAfterSeconds(response, nowMs),
  }
}

/** Judges by the common rules of RFC 6749 section 5.2; providers' own tables come before. */
export function judgeTokenError(answer: TokenErrorAnswer): ProviderError {
  const details = {
    httpStatus: answer.status,
    providerCode: answer.error || `HTTP ${answer.status}`,
    providerBody: answer.shown,
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  }
  if (answer.status === 429)
    return new ProviderError('rate-limited', 'The token endpoint is throttling.', details)
  if (answer.status >= 500 || answer.error === 'temporarily_unavailable' || answer.error === 'server_error') {
    // A gateway's 502 and 504 say nothing about what the service behind it did.
    const answered = answer.status !== 502 && answer.status !== 504
    return new ProviderError('unavailable', `The token endpoint failed (${answer.status}).`, {
      ...details,
      answered,
    })
  }
  switch (answer.error) {
    case 'invalid_grant':
      return new ProviderError('grant-revoked', 'The provider rejected the refresh token.', {
        ...details,
        reason: 'refresh_token_refused',
        advice: 'Ask the user to sign in again and post the new refresh token.',
      })
    case 'invalid_client':
    case 'unauthorized_client':
      return new ProviderError('client-misconfigured', 'The provider rejected the client id or secret.', {
        ...details,
        reason: 'client_refused',
        advice:
          'Compare client id and secret with the registration at the provider, and update the connector.',
      })
    case '':
      return new ProviderError(
        'unavailable',
        `The token endpoint answered ${answer.status} without a reason.`,
        details,
      )
    default:
      return new ProviderError(
        'invalid-request',
        `The token endpoint refused the request (${answer.error}).`,
        details,
      )
  }
}
