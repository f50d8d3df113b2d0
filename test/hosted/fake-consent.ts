import { createHash, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a user does on a provider's page. */
export interface Consent {
  readonly email: string
  /** who the provider says it is; the address where left out */
  readonly sub?: string
  /** what is granted; all that was asked for where left out */
  readonly scope?: string
  /** false: the token answer has none. A text: this one. */
  readonly refreshToken?: string | false
}

interface Code {
  readonly url: URL
  readonly consent: Consent
}

interface Holder {
  readonly consent: Consent
  readonly scope: string
}

/** A stand-in for the consent pages and token endpoints of providers; each is a path of its own. */
export interface FakeConsent {
  readonly environment: { readonly [name: string]: string }
  /** Plays the user on the page of that address. @returns the query that comes back to the callback */
  consent(url: string, consent: Consent): { readonly [name: string]: string }
  /** How often a token endpoint was asked for a code. */
  exchanges(): number
  /** How often with a refresh token. */
  refreshes(): number
  /** Answers the next request at the userinfo address so. */
  failNextUserinfo(status: number): void
  failNextToken(status: number): void
  stop(): Promise<void>
}

export async function startFakeConsent(): Promise<FakeConsent> {
  const codes = new Map<string, Code>()
  const byAccessToken = new Map<string, Holder>()
  const byRefreshToken = new Map<string, Holder>()
  const failures = { userinfo: [] as number[], token: [] as number[] }
  let exchanges = 0
  let refreshes = 0

  const issue = (holder: Holder, refreshToken: string | undefined) => {
    const access = `at-${randomUUID()}`
    byAccessToken.set(access, holder)
    if (refreshToken) byRefreshToken.set(refreshToken, holder)
    return {
      access_token: access,
      token_type: 'Bearer',
      expires_in: 3600,
      scope: holder.scope,
      ...(refreshToken ? { refresh_token: refreshToken } : {}),
    }
  }
  const trade = (provider: string, form: URLSearchParams): [number, object] => {
    exchanges += 1
    const name = form.get('code') ?? ''
    const code = codes.get(name)
    codes.delete(name)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const asked = code?.url.searchParams
    const fits =
      code?.url.pathname === `/${provider}/authorize` &&
      asked?.get('redirect_uri') === form.get('redirect_uri') &&
      asked?.get('code_challenge') === challenge
    if (!code || !fits) return [400, { error: 'invalid_grant', error_description: 'Malformed auth code.' }]
    const { consent } = code
    const scope = consent.scope ?? asked?.get('scope') ?? ''
    const refreshToken =
      consent.refreshToken === false ? undefined : (consent.refreshToken ?? `rt-${randomUUID()}`)
    return [200, issue({ consent, scope }, refreshToken)]
  }
  const token = (provider: string, form: URLSearchParams): [number, object] => {
    if (form.get('grant_type') === 'authorization_code') return trade(provider, form)
    refreshes += 1
    const holder = byRefreshToken.get(form.get('refresh_token') ?? '')
    return holder ? [200, issue(holder, undefined)] : [400, { error: 'invalid_grant' }]
  }
  const userinfo = (bearer: string): [number, object] => {
    const holder = byAccessToken.get(bearer)
    if (!holder) return [401, { error: 'invalid_token' }]
    const { email, sub = `sub-${email}` } = holder.consent
    return [200, { sub, email, email_verified: true, name: 'Ada Moreau' }]
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [, provider = '', kind] = (request.url ?? '').split('/')
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
      const failure = kind === 'token' ? failures.token.shift() : failures.userinfo.shift()
      const [status, body] =
        failure !== undefined
          ? [failure, { error: 'temporarily_unavailable' }]
          : kind === 'token'
            ? token(provider, form)
            : userinfo((request.headers.authorization ?? '').replace(/^Bearer /, ''))
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoints = (name: string, path: string) => ({
    [`GRANTWAY_${name}_AUTHORIZE_URL`]: `${base}/${path}/authorize`,
    [`GRANTWAY_${name}_TOKEN_URL`]: `${base}/${path}/token`,
    [`GRANTWAY_${name}_USERINFO_URL`]: `${base}/${path}/userinfo`,
  })
  return {
    environment: { ...endpoints('GOOGLE', 'google'), ...endpoints('YAHOO', 'yahoo') },
    consent(url, consent) {
      const code = `code-${randomUUID()}`
      const parsed = new URL(url)
      codes.set(code, { url: parsed, consent })
      return { code, state: parsed.searchParams.get('state') ?? '' }
    },
    exchanges: () => exchanges,
    refreshes: () => refreshes,
    failNextUserinfo: (status) => void failures.userinfo.push(status),
    failNextToken: (status) => void failures.token.push(status),
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
