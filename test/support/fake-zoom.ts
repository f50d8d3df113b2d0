import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ZoomEndpoints } from '../../src/providers/zoom/identity.ts'

export const ZOOM_CLIENT = { clientId: 'zoom-client', clientSecret: 'zoom-secret:with/marks' }

/** A stand-in for Zoom: a refresh token works once, and using one again kills the user's whole grant. */
export interface FakeZoom {
  readonly endpoints: ZoomEndpoints
  /** Makes a refresh token of a user. */
  mint(email: string): string
  /** How often the token endpoint was asked. */
  tokenCalls(): number
  /** Answers the next request, of either kind, so. */
  failNext(status: number, body: unknown): void
  stop(): Promise<void>
}

interface Grant {
  readonly email: string
  current: string
  dead: boolean
}

interface Reply {
  readonly status: number
  readonly body: unknown
}

export async function startFakeZoom(): Promise<FakeZoom> {
  const byRefreshToken = new Map<string, Grant>()
  const byAccessToken = new Map<string, Grant>()
  const failures: Reply[] = []
  let calls = 0

  const issue = (grant: Grant): Reply => {
    grant.current = `zr-${randomUUID()}`
    byRefreshToken.set(grant.current, grant)
    const accessToken = `za-${randomUUID()}`
    byAccessToken.set(accessToken, grant)
    return {
      status: 200,
      body: {
        access_token: accessToken,
        token_type: 'bearer',
        refresh_token: grant.current,
        expires_in: 3599,
        scope: 'user:read:user meeting:write:meeting',
      },
    }
  }
  const token = (request: IncomingMessage, form: URLSearchParams): Reply => {
    calls += 1
    // RFC 6749 section 2.3.1: both parts are form-encoded inside Basic.
    const pair = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString(
      'utf8',
    )
    const [id, secret] = pair.split(':').map(decodeURIComponent)
    if (id !== ZOOM_CLIENT.clientId || secret !== ZOOM_CLIENT.clientSecret || form.has('client_secret')) {
      return { status: 400, body: { reason: 'Invalid client_id or client_secret', error: 'invalid_client' } }
    }
    const refreshToken = form.get('refresh_token') ?? ''
    const grant = byRefreshToken.get(refreshToken)
    if (grant && grant.current !== refreshToken) grant.dead = true
    if (!grant || grant.dead || form.get('grant_type') !== 'refresh_token') {
      return { status: 401, body: { reason: 'Invalid Token!', error: 'invalid_request' } }
    }
    return issue(grant)
  }
  const me = (request: IncomingMessage): Reply => {
    const grant = byAccessToken.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    if (!grant || grant.dead) return { status: 401, body: { code: 124, message: 'Invalid access token.' } }
    return {
      status: 200,
      body: { id: `zoom-${grant.email}`, email: grant.email, first_name: 'Ada', last_name: 'Moreau' },
    }
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
      const own =
        request.url === '/oauth/token'
          ? () => token(request, form)
          : request.url === '/v2/users/me'
            ? () => me(request)
            : () => ({ status: 404, body: { code: 2300, message: 'This API endpoint is not recognized.' } })
      const { status, body } = failures.shift() ?? own()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoints: { authorizeUrl: `${base}/oauth/authorize`, tokenUrl: `${base}/oauth/token`, apiUrl: base },
    mint(email) {
      const grant: Grant = { email, current: `zr-${randomUUID()}`, dead: false }
      byRefreshToken.set(grant.current, grant)
      return grant.current
    },
    tokenCalls: () => calls,
    failNext: (status, body) => void failures.push({ status, body }),
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
