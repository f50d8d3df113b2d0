import type { Static } from 'typebox'
import { single } from '../../contract/envelope.ts'
import { applicationId } from '../../contract/ids.ts'
import {
  JwksBody,
  RevokeRequest,
  TokenAnswerBody,
  TokenInfoBody,
  TokenInfoRequest,
  TokenRequest,
} from '../../contract/oauth.ts'
import { Type } from 'typebox'
import type { Services } from '../../core/ports/services.ts'
import { OAuthError } from '../../kit/oauth-error.ts'
import { readBearer } from '../plugins/auth.ts'
import { readBasic } from '../query/basic-credentials.ts'
import { Select } from '../query/page.ts'
import { publicRoute, type Route } from '../route.ts'

const tag = 'Authentication'

/**
 * The tokens this server issues (contract/auth.md 4). Whoever holds a code or a token may come: nobody needs a key, and
 * every error has the OAuth body.
 */
export function oauthTokenRoutes(): readonly Route[] {
  return [
    publicRoute({
      method: 'POST',
      url: '/v3/connect/token',
      operationId: 'exchangeToken',
      summary: 'Trade a code or a refresh token for an access token',
      tag,
      oauth: true,
      body: TokenRequest,
      response: TokenAnswerBody,
      handle: async ({ services, body, authorization, context, client, concerns }) => {
        const { form, bearer } = withHeader(withoutEmpty(body), authorization)
        // From here on the answer, also a refusal, is for the pages of that application.
        if (form['client_id'] !== undefined) concerns(applicationId(form['client_id']))
        return { ...(await services.tokens.exchange(form, bearer, { ...context, ip: client.ip })) }
      },
    }),
    publicRoute({
      method: 'GET',
      url: '/v3/connect/tokeninfo',
      operationId: 'getTokenInfo',
      summary: 'Tell what an access token or id token of this server stands for',
      tag,
      oauth: true,
      query: { ...TokenInfoRequest.properties, select: Select },
      response: single(TokenInfoBody),
      handle: async ({ services, query, concerns }) => tokenInfo(services, query, concerns),
    }),
    publicRoute({
      method: 'POST',
      url: '/v3/connect/tokeninfo',
      operationId: 'postTokenInfo',
      // The browser library sends the token so (nylas/javascript, connect-client.ts, checked 2026-11).
      summary: 'The same with the token in the body, as the browser library sends it',
      tag,
      oauth: true,
      query: TokenInfoRequest.properties,
      body: TokenInfoRequest,
      response: single(TokenInfoBody),
      handle: async ({ services, query, body, concerns }) =>
        tokenInfo(services, { ...query, ...withoutEmpty(body) }, concerns),
    }),
    publicRoute({
      method: 'POST',
      url: '/v3/connect/revoke',
      operationId: 'revokeToken',
      summary: 'Revoke a token, its siblings and the refresh token they came from; not the grant',
      tag,
      oauth: true,
      query: RevokeRequest.properties,
      body: RevokeRequest,
      response: Type.Object({ request_id: Type.String() }),
      handle: async ({ services, query, body }) => {
        const token = query.token ?? withoutEmpty(body)['token']
        if (token === undefined) throw new OAuthError('invalid_request', 400, 'token is required.')
        await services.tokens.revoke(token)
        return {}
      },
    }),
    publicRoute({
      method: 'GET',
      url: '/.well-known/jwks.json',
      operationId: 'getJwks',
      summary: 'Public keys of id tokens (an extension)',
      tag,
      response: JwksBody,
      handle: async ({ services }) => ({ ...(await services.tokens.jwks()) }),
    }),
  ]
}

async function tokenInfo(
  { tokens }: Services,
  given: Static<typeof TokenInfoRequest>,
  concerns: (id: ReturnType<typeof applicationId>) => void,
) {
  const info = await tokens.info({
    ...(given.id_token === undefined ? {} : { idToken: given.id_token }),
    ...(given.access_token === undefined ? {} : { accessToken: given.access_token }),
  })
  concerns(applicationId(info.aud))
  return { data: info }
}

/** A parameter without a value counts as left out (RFC 6749 section 3.2). */
function withoutEmpty(fields: { readonly [name: string]: string | undefined }): { [name: string]: string } {
  const form: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== '') form[name] = value
  return form
}

/** Adds what the Authorization header says: a bearer, or client id and key by Basic (RFC 6749 section 2.3.1). */
function withHeader(form: { [name: string]: string }, authorization: string | null) {
  const basic = readBasic(authorization ?? '')
  if (!basic) return { form, bearer: readBearer(authorization ?? '') }
  if (form['client_id'] !== undefined && form['client_id'] !== basic.user) {
    throw new OAuthError('invalid_client', 401, 'client_id and the user of the Authorization header differ.')
  }
  return { form: { ...form, client_id: basic.user }, bearer: basic.password }
}
