import { randomUUID } from 'node:crypto'

export interface TokenReply {
  readonly status: number
  readonly body: unknown
}

export interface SeenTokenCall {
  readonly tenant: string
  readonly form: URLSearchParams
}

export const FAKE_CLIENT = { clientId: 'fake-client-id', clientSecret: 'fake-client-secret' }

/** Microsoft's token endpoint: every refresh gives a new refresh token, and the old one works on. */
export interface FakeTokenEndpoint {
  readonly calls: readonly SeenTokenCall[]
  /** Scopes the users consented to; asking for another one is AADSTS65001. */
  readonly consented: Set<string>
  /** Makes a refresh token of a user. */
  mint(address: string): string
  /** Answers the next call so. */
  failNext(status: number, body: unknown): void
  /** Makes every access token invalid; refresh tokens stay. */
  expireAccessTokens(): void
  /** Whose access token it is: a user's address, `app`, or null. */
  bearer(token: string): string | null
  answer(tenant: string, form: URLSearchParams): TokenReply
}

export function createTokenEndpoint(): FakeTokenEndpoint {
  const refreshTokens = new Map<string, string>()
  const accessTokens = new Map<string, string>()
  const calls: SeenTokenCall[] = []
  const consented = new Set(['Mail.Read', 'User.Read', 'openid', 'profile', 'email', 'offline_access'])
  const failures: TokenReply[] = []
  const issue = (owner: string) => {
    const token = `access-${randomUUID()}`
    accessTokens.set(token, owner)
    return { token_type: 'Bearer', access_token: token, expires_in: 3600 }
  }
  const mint = (address: string) => {
    const token = `refresh-${randomUUID()}`
    refreshTokens.set(token, address)
    return token
  }
  return {
    calls,
    consented,
    mint,
    failNext: (status, body) => void failures.push({ status, body }),
    expireAccessTokens: () => accessTokens.clear(),
    bearer: (token) => accessTokens.get(token) ?? null,
    answer(tenant, form) {
      calls.push({ tenant, form })
      const failure = failures.shift()
      if (failure) return failure
      const isClient =
        form.get('client_id') === FAKE_CLIENT.clientId &&
        form.get('client_secret') === FAKE_CLIENT.clientSecret
      if (!isClient) return refused('invalid_client', 7000215, 'Invalid client secret provided.', 401)
      const scope = form.get('scope')?.split(' ') ?? []
      if (scope.length === 0)
        return refused('invalid_request', 900144, "The request body must contain: 'scope'.")
      if (form.get('grant_type') === 'client_credentials') {
        const fits = scope.length === 1 && scope[0] === 'https://graph.microsoft.com/.default'
        if (['common', 'organizations', 'consumers'].includes(tenant)) {
          return refused('invalid_request', 90002, 'Tenant not found.')
        }
        return fits ? { status: 200, body: issue('app') } : refused('invalid_scope', 1002012, 'Wrong scope.')
      }
      const address = refreshTokens.get(form.get('refresh_token') ?? '')
      if (form.get('grant_type') !== 'refresh_token' || address === undefined) {
        return refused('invalid_grant', 70000, 'The provided grant is malformed.')
      }
      const asked = scope.map((name) => name.replace('https://graph.microsoft.com/', ''))
      const missing = asked.find((name) => name !== '.default' && !consented.has(name))
      if (missing) return refused('invalid_grant', 65001, `The user has not consented to ${missing}.`)
      const granted = asked.includes('.default') ? [...consented] : asked
      return {
        status: 200,
        body: {
          ...issue(address),
          scope: granted
            .filter((name) => name !== 'offline_access')
            .map((name) => (/^[A-Z]/.test(name) ? `https://graph.microsoft.com/${name}` : name))
            .join(' '),
          ...(asked.includes('offline_access') ? { refresh_token: mint(address) } : {}),
          ...(granted.includes('openid') ? { id_token: idToken(address) } : {}),
        },
      }
    },
  }
}

/** An error answer in the shape the real endpoint has. */
export function aadsts(error: string, code: number, text: string) {
  return {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333 Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd Timestamp: 2026-11-24 09:00:00Z`,
    error_codes: [code],
    timestamp: '2026-11-24 09:00:00Z',
    trace_id: '0000aaaa-11bb-cccc-dd22-eeeeee333333',
    correlation_id: 'aaaa0000-bb11-2222-33cc-444444dddddd',
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  }
}

function refused(error: string, code: number, text: string, status = 400): TokenReply {
  return { status, body: aadsts(error, code, text) }
}

function idToken(address: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    tid: '22222222-0000-0000-0000-000000000001',
    oid: '33333333-0000-0000-0000-000000000001',
    preferred_username: address,
    email: address,
    name: 'From the id token',
  }
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`
}
