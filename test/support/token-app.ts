import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { applicationId, grantId, type ApplicationId, type GrantId } from '../../src/contract/ids.ts'
import { type ApiAnswer, type GrantwayApp, startGrantway } from './grantway-app.ts'

export const REDIRECT = 'https://app.example/cb'
export const ACCESS_TOKEN = /^gw_at_[A-Za-z0-9_-]{43}$/
export const REFRESH_TOKEN = /^gw_rt_[A-Za-z0-9_-]{43}$/

/** The composed product with one grant, and codes for it as hosted authentication would give them. */
export interface TokenApp extends GrantwayApp {
  readonly clientId: ApplicationId
  readonly grantId: GrantId
  readonly email: string
  code(change?: Partial<CodeRequest>): Promise<string>
  /** A grant of a virtual calendar. */
  newGrant(email: string): Promise<GrantId>
  /** Posts without any credential, as JSON. */
  post(path: string, body: object | undefined, headers?: Record<string, string>): Promise<ApiAnswer>
  /** Posts a form without any credential. */
  form(
    path: string,
    fields: Record<string, string> | string,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer>
  /** Trades a code with the API key, or whatever the change says. */
  exchange(code: string, change?: object): Promise<ApiAnswer>
  refresh(token: string, change?: object): Promise<ApiAnswer>
  /** Calls with an access token as the bearer. */
  as(token: string, method: string, path: string, body?: object): Promise<ApiAnswer>
}

interface CodeRequest {
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly redirectUri: string
  readonly challenge: string | null
  readonly challengeMethod: 'plain' | 'S256' | null
  readonly offline: boolean
}

export async function startTokenApp(
  environment: { readonly [name: string]: string } = {},
): Promise<TokenApp> {
  const app = await startGrantway(environment)
  const { services, database } = app.application
  const clientId = applicationId((await app.call('GET', '/v3/applications')).body.data.application_id)
  await app.call('POST', '/v3/connectors', { provider: 'virtual-calendar' })
  const email = 'room@calendar.example'
  const newGrant = async (address: string): Promise<GrantId> => {
    const made = await app.call('POST', '/v3/connect/custom', {
      provider: 'virtual-calendar',
      settings: { email: address },
    })
    assert.equal(made.status, 201, made.text)
    return grantId(made.body.data.id)
  }
  const grant = await newGrant(email)
  const send = async (path: string, body: string | undefined, headers: Record<string, string>) => {
    const response = await fetch(app.url + path, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
  }
  const post: TokenApp['post'] = (path, body, headers = {}) =>
    send(path, body && JSON.stringify(body), {
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    })
  return {
    ...app,
    clientId,
    grantId: grant,
    email,
    newGrant,
    code: (change = {}) =>
      services.tokens.issueCode(database.stores, {
        applicationId: clientId,
        grantId: grant,
        redirectUri: REDIRECT,
        challenge: null,
        challengeMethod: null,
        offline: true,
        ...change,
      }),
    post,
    form: (path, fields, headers = {}) =>
      send(path, typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      }),
    exchange: (code, change = {}) =>
      post('/v3/connect/token', {
        grant_type: 'authorization_code',
        client_id: clientId,
        client_secret: app.key,
        redirect_uri: REDIRECT,
        code,
        ...change,
      }),
    refresh: (token, change = {}) =>
      post('/v3/connect/token', {
        grant_type: 'refresh_token',
        client_id: clientId,
        client_secret: app.key,
        redirect_uri: REDIRECT,
        refresh_token: token,
        ...change,
      }),
    as: (token, method, path, body) => app.call(method, path, body, { authorization: `Bearer ${token}` }),
  }
}

/** Verifier and challenge as the SDKs make them: a UUID, and base64 of the digest in hex (contract/auth.md 4.2). */
export function sdkPkce() {
  const verifier = randomUUID()
  const hex = createHash('sha256').update(verifier).digest('hex')
  const challenge = Buffer.from(hex).toString('base64').replaceAll('=', '')
  return { verifier, challenge, challengeMethod: 'S256' as const }
}

/** Checks an OAuth error, the whole body of it. */
export function assertOAuthError(answer: ApiAnswer, status: number, code: string, description: RegExp): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  const { error_description: said, ...rest } = answer.body
  assert.deepEqual(rest, {
    request_id: answer.headers.get('x-request-id'),
    error: code,
    error_code: status,
    error_uri: 'https://datatracker.ietf.org/doc/html/rfc6749#section-5.2',
  })
  assert.match(said, description)
}
