import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
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
  /** How often it was asked with a token of that user. */
  tokenCallsOf(email: string): number
  /** How often `/v2/users/me` was asked with a token of that user. */
  meCallsOf(email: string): number
  /** How often a refresh token came that had been used already. */
  replays(): number
  /** The refresh token of a user that would work now. */
  currentToken(email: string): string
  /** Answers the next request, of either kind, so. */
  failNext(status: number, body: unknown): void
  /** Answers the next request to `/v2/users/me` so. */
  failNextMe(status: number, body: unknown): void
  /** Issues the next tokens and closes the connection instead of answering. */
  dropNextToken(): void
  /** Works on requests of one kind as they come, but keeps their answers back until they are released. */
  hold(kind: RequestKind): HeldAnswers
  stop(): Promise<void>
}

export type RequestKind = 'token' | 'me'

export interface HeldAnswers {
  /** Resolves when the first answer is being kept back. */
  readonly first: Promise<void>
  /** Answers all of them, and those to come at once. */
  release(): void
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
  const byEmail = new Map<string, Grant>()
  const failures: Reply[] = []
  const meFailures: Reply[] = []
  const held = new Map<RequestKind, { readonly noteFirst: () => void; readonly released: Promise<void> }>()
  const callsOf = new Map<string, number>()
  const meCallsOf = new Map<string, number>()
  let calls = 0
  let replayed = 0
  let drops = 0

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
    if (grant) callsOf.set(grant.email, (callsOf.get(grant.email) ?? 0) + 1)
    if (grant && grant.current !== refreshToken) {
      replayed += 1
      grant.dead = true
    }
    if (!grant || grant.dead || form.get('grant_type') !== 'refresh_token') {
      return { status: 401, body: { reason: 'Invalid Token!', error: 'invalid_request' } }
    }
    return issue(grant)
  }
  const me = (request: IncomingMessage): Reply => {
    const grant = byAccessToken.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    if (grant) meCallsOf.set(grant.email, (meCallsOf.get(grant.email) ?? 0) + 1)
    if (!grant || grant.dead) return { status: 401, body: { code: 124, message: 'Invalid access token.' } }
    return {
      status: 200,
      body: { id: `zoom-${grant.email}`, email: grant.email, first_name: 'Ada', last_name: 'Moreau' },
    }
  }
  const answer = async (request: IncomingMessage, response: ServerResponse, form: URLSearchParams) => {
    const kind = kindOf(request)
    const own =
      kind === 'token'
        ? () => token(request, form)
        : kind === 'me'
          ? () => meFailures.shift() ?? me(request)
          : () => ({ status: 404, body: { code: 2300, message: 'This API endpoint is not recognized.' } })
    const { status, body } = failures.shift() ?? own()
    if (kind === 'token' && drops > 0) {
      drops -= 1
      response.destroy()
      return
    }
    const keptBack = kind && held.get(kind)
    if (keptBack) {
      keptBack.noteFirst()
      await keptBack.released
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void answer(request, response, new URLSearchParams(Buffer.concat(chunks).toString('utf8')))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoints: { authorizeUrl: `${base}/oauth/authorize`, tokenUrl: `${base}/oauth/token`, apiUrl: base },
    mint(email) {
      const grant: Grant = { email, current: `zr-${randomUUID()}`, dead: false }
      byRefreshToken.set(grant.current, grant)
      byEmail.set(email, grant)
      return grant.current
    },
    tokenCalls: () => calls,
    tokenCallsOf: (email) => callsOf.get(email) ?? 0,
    meCallsOf: (email) => meCallsOf.get(email) ?? 0,
    replays: () => replayed,
    currentToken: (email) => byEmail.get(email)?.current ?? '',
    failNext: (status, body) => void failures.push({ status, body }),
    failNextMe: (status, body) => void meFailures.push({ status, body }),
    dropNextToken() {
      drops += 1
    },
    hold(kind) {
      let noteFirst = () => {}
      let release = () => {}
      const first = new Promise<void>((resolve) => {
        noteFirst = resolve
      })
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const mine = { noteFirst: () => noteFirst(), released }
      held.set(kind, mine)
      return {
        first,
        release() {
          if (held.get(kind) === mine) held.delete(kind)
          release()
        },
      }
    },
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function kindOf(request: IncomingMessage): RequestKind | undefined {
  if (request.url === '/oauth/token') return 'token'
  return request.url === '/v2/users/me' ? 'me' : undefined
}
