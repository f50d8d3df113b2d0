import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sleep } from '../../src/kit/deadline.ts'
import type { TokenCall } from './check-history.ts'
import type { Random } from './random.ts'

/** How often, of 1,000 token calls. */
const FAULTS_PER_MILLE = {
  /** closed with the request unread: nothing is spent */
  'cut-unread': 4,
  /** issued, and closed without an answer */
  'cut-rotated': 3,
  /** issued, and closed in the middle of the answer */
  'cut-midway': 3,
  /** answered 503, nothing is spent */
  unavailable: 10,
  slow: 25,
  /** longer than anybody waits */
  'too-slow': 1,
} as const
type Fault = keyof typeof FAULTS_PER_MILLE

/** An access token is refreshed early enough only when it has more than the product's margin of 5 s left. */
const LEAST_LIFE_S = 6
const MOST_LIFE_S = 9

interface Account {
  readonly email: string
  readonly life: string
  current: string
  dead: boolean
}

/** A provider that rotates strictly: a used refresh token that comes again kills the consent. */
export interface TokenServer {
  /** @param process  names who asks, for the record */
  endpoints(process: string): { readonly [name: string]: string }
  /** A user's consent: the first refresh token, which names the life that begins. */
  consent(email: string): string
  /** Every token call, in the order of their coming. */
  readonly calls: readonly TokenCall[]
  /** Tokens issued. */
  refreshes(): number
  readonly faults: ReadonlyMap<Fault, number>
  /** Used tokens that came again. */
  replays(): number
  /** Lets access tokens live so long from now on. */
  setLife(seconds: number): void
  /** From now on every call is answered well. */
  calmDown(): void
  stop(): Promise<void>
}

export async function startTokenServer(random: Random): Promise<TokenServer> {
  const byRefreshToken = new Map<string, Account>()
  const byAccessToken = new Map<string, Account>()
  const calls: TokenCall[] = []
  const faults = new Map<Fault, number>()
  let refreshes = 0
  let replays = 0
  let tokens = 0
  let isCalm = false
  let lifeSeconds = () => random.between(LEAST_LIFE_S, MOST_LIFE_S)

  const newToken = (account: Account) => {
    account.current = `rt-${++tokens}`
    byRefreshToken.set(account.current, account)
    return account.current
  }

  function chooseFault(): Fault | null {
    if (isCalm) return null
    let left = random.next() * 1000
    for (const [fault, weight] of Object.entries(FAULTS_PER_MILLE)) {
      left -= weight
      if (left < 0) {
        faults.set(fault as Fault, (faults.get(fault as Fault) ?? 0) + 1)
        return fault as Fault
      }
    }
    return null
  }

  async function token(process: string, form: URLSearchParams, response: ServerResponse): Promise<void> {
    const startMs = performance.now()
    const presented = form.get('refresh_token') ?? ''
    const account = byRefreshToken.get(presented)
    if (!account) return void send(response, 400, { error: 'invalid_grant' })
    const { email: grant, life } = account
    const fault = chooseFault()
    const place = calls.length
    let hungUpMs = Number.POSITIVE_INFINITY
    response.once('close', () => {
      hungUpMs = performance.now()
    })
    const note = (outcome: TokenCall['outcome'], issued: string | null, delivered: boolean) => {
      const endMs = Math.min(hungUpMs, performance.now())
      calls[place] = { grant, life, process, presented, issued, outcome, startMs, endMs, delivered }
    }
    // Stands until the answer is over, also when the run ends before.
    const pending = (outcome: TokenCall['outcome'], issued: string | null) => {
      const endMs = Number.POSITIVE_INFINITY
      calls[place] = { grant, life, process, presented, issued, outcome, startMs, endMs, delivered: false }
    }
    if (fault === 'cut-unread') {
      note('unread', null, false)
      return void response.destroy()
    }
    if (fault === 'unavailable') {
      pending('failed', null)
      return note('failed', null, await send(response, 503, { error: 'temporarily_unavailable' }))
    }
    if (account.dead || account.current !== presented) {
      if (!account.dead) replays += 1
      account.dead = true
      pending('refused', null)
      return note('refused', null, await send(response, 400, { error: 'invalid_grant' }))
    }
    const issued = newToken(account)
    refreshes += 1
    pending('issued', issued)
    const accessToken = `at-${issued}`
    byAccessToken.set(accessToken, account)
    const body = {
      access_token: accessToken,
      refresh_token: issued,
      token_type: 'bearer',
      expires_in: lifeSeconds(),
    }
    if (fault === 'cut-rotated') {
      response.destroy()
      return note('issued', issued, false)
    }
    if (fault === 'cut-midway') {
      const text = JSON.stringify(body)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
      response.write(text.slice(0, text.length / 2), () => response.destroy())
      return note('issued', issued, false)
    }
    if (fault === 'slow') await sleep(random.between(500, 9_000))
    else if (fault === 'too-slow') await sleep(random.between(15_500, 18_000))
    else await sleep(random.between(1, 80))
    note('issued', issued, await send(response, 200, body))
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => undefined) // the process behind it was killed
    response.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [, process, endpoint] = (request.url ?? '').split('/')
      if (endpoint === 'userinfo') return void send(response, ...userinfo(request, byAccessToken))
      void token(process ?? '', new URLSearchParams(Buffer.concat(chunks).toString('utf8')), response)
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoints: (process) => ({
      GRANTWAY_YAHOO_TOKEN_URL: `${base}/${process}/token`,
      GRANTWAY_YAHOO_USERINFO_URL: `${base}/${process}/userinfo`,
    }),
    consent(email) {
      const first = `rt-${++tokens}`
      byRefreshToken.set(first, { email, life: first, current: first, dead: false })
      return first
    },
    calls,
    refreshes: () => refreshes,
    faults,
    replays: () => replays,
    setLife(seconds) {
      lifeSeconds = () => seconds
    },
    calmDown() {
      isCalm = true
    },
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function userinfo(
  { headers }: IncomingMessage,
  byAccessToken: ReadonlyMap<string, Account>,
): readonly [number, object] {
  const account = byAccessToken.get((headers.authorization ?? '').replace(/^Bearer /, ''))
  return account ? [200, { sub: account.email, email: account.email }] : [401, { error: 'invalid_token' }]
}

/** @returns whether all of it went out before anybody hung up */
function send(response: ServerResponse, status: number, body: object): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed || response.socket?.destroyed !== false) return resolve(false)
    response.once('finish', () => resolve(true))
    response.once('close', () => resolve(response.writableFinished))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}
